"""Manifests with their secrets in clear, for those who read an object, edited it, and want to know what it would do.

What was read holds placeholders (``redacted:...``). The API puts the values back in the same object; a preview is
another object, so they are put in here, as far as the caller may see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threeport.client import Client
from threeport.common.types import JsonObject
from threeport.krm.sealing import PLACEHOLDER
from threeport.resources.kind import Kind


async def in_clear(client: Client, kind: Kind, stored: JsonObject | None, manifests: list[Any]) -> list[Any]:
    """The manifests with the placeholders that stand for values of the stored object replaced."""
    if stored is None or not any(True for _ in _placeholders(manifests)):
        return manifests
    metadata = stored["metadata"]
    clear = await client.get(kind, metadata["name"], metadata["namespace"], reveal=True)
    values = dict(_pairs(stored["spec"]["manifests"], clear["spec"]["manifests"]))
    replaced: list[Any] = _replaced(manifests, values)
    return replaced


def _placeholders(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _placeholders(inner)
    elif isinstance(value, str):
        yield from (found[0] for found in PLACEHOLDER.finditer(value))


def _pairs(redacted: Any, clear: Any) -> Iterator[tuple[str, Any]]:
    """Placeholders, and what stands in their place in the same object in clear."""
    if isinstance(redacted, dict) and isinstance(clear, dict):
        for key in redacted.keys() & clear.keys():
            yield from _pairs(redacted[key], clear[key])
    elif isinstance(redacted, list) and isinstance(clear, list):
        for one, other in zip(redacted, clear, strict=False):
            yield from _pairs(one, other)
    elif isinstance(redacted, str) and PLACEHOLDER.fullmatch(redacted):
        yield redacted, clear


def _replaced(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, values) for inner in value]
    if not isinstance(value, str) or value in values:
        return values.get(value, value) if isinstance(value, str) else value
    # Text of a file that the API is yet to split: a placeholder is a word in it.
    return PLACEHOLDER.sub(lambda found: str(values.get(found[0], found[0])), value)
