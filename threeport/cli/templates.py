"""``-o jsonpath=TEMPLATE``: values out of objects for scripts, in the way of kubectl.

Literal text with ``{.a.b[0].c}`` in it; several values stand with spaces between them; ``{"\\n"}`` is a line end.
Loops (``range``) are not understood: `-o json` and a program such as jq do more.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from threeport.cli.errors import CliError
from threeport.krm.jsonpath import find_all

_PART = re.compile(r"\{([^{}]*)\}")


def expand(template: str, document: Any) -> str:
    """The text. A template without braces is one path. Raises `CliError` for what is no path."""
    if "{" not in template:
        return _values(template, document)
    if set(_PART.sub("", template)) & {"{", "}"}:
        raise CliError(f"{template!r} cannot be understood: a brace has no counterpart.")
    return _PART.sub(lambda part: _part(part[1].strip(), document), template)


def _part(inner: str, document: Any) -> str:
    if inner.startswith('"'):
        try:
            return str(orjson.loads(inner))
        except orjson.JSONDecodeError:
            raise CliError(f'{{{inner}}} is no text: write it as in JSON, such as {{"\\n"}}.') from None
    return _values(inner, document)


def _values(path: str, document: Any) -> str:
    try:
        return " ".join(map(_as_text, find_all(document, path)))
    except ValueError:
        raise CliError(
            f"{path!r} cannot be understood: write a path such as {{.items[*].metadata.name}} or "
            "{.status.conditions[?(@.type=='Ready')].status}, or take -o json and a program for the rest."
        ) from None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
