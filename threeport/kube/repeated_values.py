"""What a cluster says of a manifest, without the values that it repeats.

Nobody reads a page of pod template in a condition, and a Secret's values must not get there at all. Whoever reads
conditions, events and logs need not be somebody who may see them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Final

from threeport.common.types import FrozenJson

_LONG: Final = 100
"""Characters of a text that are worth repeating; shorter ones, such as a misspelt name, help."""

_SHORTEST: Final = 4
"""Characters from which on a value of a Secret is looked for: shorter ones stand in any sentence."""

_GOT: Final = re.compile(r",? got &.*", re.DOTALL)
"""How an apply says of which type a value is (structured-merge-diff, typed/validate.go): it prints the value raw, so
that where it ends cannot be told."""

_INVALID: Final = re.compile(r"(?:Invalid|Unsupported|Duplicate) value: ")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_GO_VALUE: Final = re.compile(r"[&*\[\]\w.]*\{|map\[|\[\]")
"""A value as older clusters print it, ``core.PodTemplateSpec{...}``, and what is no JSON."""


def without_values(message: str, manifest: FrozenJson | None = None) -> str:
    """`message` without what it repeats of a manifest: whole objects, long texts, and any value of a Secret."""
    for value in sorted(_secrets(manifest or {}), key=len, reverse=True):
        message = message.replace(value, "...")
    return _without_long(_GOT.sub("", message))


def _without_long(message: str) -> str:
    """Leaves out what stands after ``Invalid value:`` unless it is short."""
    kept, position = "", 0
    for found in _INVALID.finditer(message):
        if found.start() < position:
            continue  # inside a value
        kept += message[position : found.end()]
        position = found.end()
        end = _end_of_long(message, position)
        if end is None:
            return f"{kept}..."
        position = end
    return kept + message[position:]


def _end_of_long(message: str, start: int) -> int | None:
    """Where the value at `start` ends with the colon after it, if it is long; `start` if it is short; None if that
    cannot be told."""
    if quoted := _QUOTED.match(message, start):
        end = quoted.end()
        if end - start < _LONG:
            return start
    elif message.startswith(("{", "["), start):
        try:
            end = json.JSONDecoder(strict=False).raw_decode(message, start)[1]
        except ValueError:
            return None
    else:
        return None if message.startswith('"', start) or _GO_VALUE.match(message, start) else start
    return end + 2 if message.startswith(": ", end) else end


def _secrets(manifest: FrozenJson) -> set[str]:
    """All texts by which a message could show a value of a Secret: as given, encoded, decoded, and with escapes."""
    if manifest.get("kind") != "Secret":
        return set()
    values = {text for name in ("data", "stringData") for text in _scalars(manifest.get(name))}
    values |= {decoded for value in values if (decoded := _decoded(value))}
    values |= {base64.b64encode(value.encode()).decode() for value in values}
    values |= {json.dumps(value, ensure_ascii=escaped)[1:-1] for value in values for escaped in (True, False)}
    return {value for value in values if len(value) >= _SHORTEST}


def _scalars(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
