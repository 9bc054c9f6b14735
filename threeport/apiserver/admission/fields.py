"""Reading fields of decoded objects by their path."""

from __future__ import annotations

from collections.abc import Iterator

from threeport.resources.kind import FieldPath


def values_at(node: object, path: FieldPath) -> Iterator[object]:
    """What stands at `path` below `node`; ``*`` stands for every item of a list and every value of a mapping."""
    if not path:
        yield node
        return
    step, rest = path[0], path[1:]
    if step == "*" and isinstance(node, dict | list):
        for value in list(node.values()) if isinstance(node, dict) else node:
            yield from values_at(value, rest)
    elif isinstance(node, dict) and step in node:
        yield from values_at(node[step], rest)


def text_at(node: object, *path: str) -> str:
    """The text at `path`, or an empty one."""
    return next((value for value in values_at(node, path) if isinstance(value, str)), "")
