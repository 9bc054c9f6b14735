"""Several operations on objects of any kinds, all of them or none: ``POST .../transactions``.

{"operations": [{"operation": "apply", "object": {...}}, ...]} -> {"results": [{...}, ...]}
"""
