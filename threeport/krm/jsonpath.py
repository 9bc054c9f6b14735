"""The part of JSONPath that columns and scripts use.

``.a.b``, ``[2]``, ``[*]``, ``['k']`` and ``[?(@.type=='Ready')]``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeAlias

_STEP = re.compile(
    r"""\.(?P<field>(?:[A-Za-z0-9_/-]|\\.)+)|\[(?P<index>-?\d+)\]|\[(?P<all>\*)\]|\[['"](?P<key>[^'"]+)['"]\]"""
    r"""|\[\?\(@\.(?P<name>[A-Za-z0-9_.-]+)\s*==\s*['"](?P<wanted>[^'"]*)['"]\)\]"""
)
_Step: TypeAlias = tuple[str, str, str]


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[_Step, ...]:
    text = path.strip("{}").removeprefix("$")
    text = text if text.startswith((".", "[")) else f".{text}"
    steps: list[_Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"JSONPath {path!r} is not of the simple kind that is understood here")
        what = match.lastgroup if match["name"] is None else "name"
        steps.append((what or "", match[what or 0].replace("\\.", "."), match["wanted"] or ""))
        position = match.end()
    return tuple(steps)


def find(obj: Any, path: str) -> Any:
    """The first value at `path`, or None. Raises ValueError if `path` is not of the kind described above."""
    values = find_all(obj, path)
    return values[0] if values else None


def find_all(obj: Any, path: str) -> list[Any]:
    """All values at `path`, in order. Raises ValueError if `path` is not of the kind described above."""
    values = [obj]
    for step in _steps(path):
        values = [found for value in values for found in _follow(value, step)]
    return values


def _follow(value: Any, step: _Step) -> list[Any]:
    what, argument, wanted = step
    if what in ("field", "key"):
        return [value[argument]] if isinstance(value, dict) and argument in value else []
    if not isinstance(value, list):
        return []
    if what == "index":
        return value[int(argument) :][:1]
    if what == "all":
        return value
    return [item for item in value if str(find(item, f".{argument}")) == wanted]
