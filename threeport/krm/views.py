"""Objects as a caller sees them: with its own bookkeeping merged in, and sensitive values redacted.

A controller's operator keeps kopf's state in annotations. They are stored apart from the object, and shown only to
that controller, as if they were annotations of the object: so a user cannot wipe them, and two controllers cannot
disturb each other. All of this works on text, because decoding lists costs five times as much as sending them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import orjson

from threeport.common.types import JsonObject
from threeport.krm.interfaces import Caller, Secrecy
from threeport.resources.kind import Kind, bookkeeping_prefix_of
from threeport.store.records import ANNOTATED_PREFIX, BODY_PREFIX, StoredObject

Annotations: TypeAlias = dict[str, str]

_ANY_BOOKKEEPING = bookkeeping_prefix_of("")
"""What the annotation prefixes of all controllers end with."""


class Views:
    """Makes the texts of objects for callers; `secrecy` hides what is sensitive."""

    def __init__(self, secrecy: Secrecy) -> None:
        self._secrecy = secrecy

    def text(self, kind: Kind, obj: StoredObject, controller: str | None = None) -> str:
        """The object as JSON text for a plain caller, or for the operator of `controller`."""
        return self.hidden(kind, _merged(obj, controller))

    def raw(self, obj: StoredObject, controller: str | None = None) -> str:
        """Like `text`, but sensitive values stay as stored: for lists, whose text is redacted as a whole."""
        return _merged(obj, controller)

    def hidden(self, kind: Kind, text: str) -> str:
        """The text without sensitive values."""
        return self._secrecy.redact(kind, text) if is_secretive(kind) else text

    def decoded(self, kind: Kind, obj: StoredObject, caller: Caller) -> JsonObject:
        """The object as the caller sees it, decoded; the receiver may change it."""
        decoded: JsonObject = orjson.loads(self.text(kind, obj, caller.controller))
        return decoded


def is_secretive(kind: Kind) -> bool:
    """Whether objects of the kind may hold sensitive values."""
    return bool(kind.sensitive or kind.manifests)


def _merged(obj: StoredObject, controller: str | None) -> str:
    annotations = obj.bookkeeping.get(controller) if controller else None
    if annotations:
        return _spliced(obj, annotations)
    return obj.served() if obj.revision else obj.body


def _spliced(obj: StoredObject, annotations: Mapping[str, str]) -> str:
    inner = orjson.dumps(dict(annotations)).decode()[1:-1]
    revision = f'"resourceVersion":"{obj.revision}",' if obj.revision else ""
    if obj.body.startswith(ANNOTATED_PREFIX):
        rest = obj.body[len(ANNOTATED_PREFIX) :]
        comma = "" if rest.startswith("}") else ","
        return f'{BODY_PREFIX}{revision}"annotations":{{{inner}{comma}{rest}'
    rest = obj.body[len(BODY_PREFIX) :]
    comma = "" if rest.startswith("}") else ","
    return f'{BODY_PREFIX}{revision}"annotations":{{{inner}}}{comma}{rest}'


def split_bookkeeping(obj: JsonObject, controller: str | None) -> tuple[Annotations, list[str]]:
    """Takes every controller's bookkeeping out of ``metadata.annotations``; changes `obj`.

    Returns that of `controller`, and the keys that are dropped, because they belong to another controller or the
    caller is none.
    """
    annotations = obj["metadata"].get("annotations") or {}
    if not isinstance(annotations, dict):
        return {}, []  # the check of metadata that follows says so
    own_prefix = f"{bookkeeping_prefix_of(controller)}/" if controller else None
    own: Annotations = {}
    dropped: list[str] = []
    for key in [key for key in annotations if key.partition("/")[0].endswith(_ANY_BOOKKEEPING)]:
        value = annotations.pop(key)
        if own_prefix and key.startswith(own_prefix):
            own[key] = value
        else:
            dropped.append(key)
    if not annotations:
        obj["metadata"].pop("annotations", None)
    return own, dropped
