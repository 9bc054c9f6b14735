"""Server-side apply: each manager owns the fields it applied; two who want different values have a conflict.

The algorithm of Kubernetes ("Server-Side Apply" in its documentation; structured-merge-diff, ``merge/update.go``),
with maps, atomic lists, lists by key and sets. As in its apiserver (``NewSkipNonAppliedManager``) an object has
``managedFields`` only from the first apply on; what it held before then belongs to ``before-first-apply``.
"""
