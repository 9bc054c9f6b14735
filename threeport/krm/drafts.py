"""From a decoded object to the record that the store writes: what the two have in common for all writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from threeport.common.errors import RequestTooLarge
from threeport.common.types import FrozenJson, JsonObject, Labels
from threeport.krm.bodies import OBJECT_LIMIT
from threeport.krm.references import owner_targets
from threeport.resources.kind import Kind
from threeport.store.records import Bookkeeping, Key, Operation, ReferenceTarget, StoredObject, Write, encode_body

FORMER_LIMIT = 8
"""How many former label sets are kept; with more an object may have had any (design of the watch, rule 7)."""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike ``==`` it tells 1, 1.0 and true apart."""
    return bool(one == other) and _canonical(one) == _canonical(other)


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def content_of(obj: FrozenJson) -> JsonObject:
    """All of the object but ``metadata``."""
    return {key: value for key, value in obj.items() if key != "metadata"}


def spec_of(kind: Kind, obj: FrozenJson) -> JsonObject:
    """What `generation` counts the changes of: all but ``metadata`` and, where it is a subresource, ``status``."""
    left_out = ("metadata", "status") if kind.has_status else ("metadata",)
    return {key: value for key, value in obj.items() if key not in left_out}


def is_pinned(obj: FrozenJson) -> bool:
    """Whether the object has to stay when it is deleted: a finalizer holds it, or it is a namespace with content."""
    spec = obj.get("spec")
    held = obj.get("kind") == "Namespace" and isinstance(spec, dict) and spec.get("finalizers")
    return bool(obj["metadata"].get("finalizers") or held)


def is_deleting(obj: FrozenJson) -> bool:
    """Whether the deletion of the object has begun."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def labels_of(obj: FrozenJson) -> Labels:
    """The labels of an object."""
    labels: Labels = obj["metadata"].get("labels") or {}
    return labels


def body_of(obj: FrozenJson) -> str:
    """The text to store; raises `RequestTooLarge` for an object over the limit."""
    body = encode_body(obj)
    if len(body) > OBJECT_LIMIT and len(body.encode()) > OBJECT_LIMIT:
        name = obj["metadata"].get("name")
        raise RequestTooLarge(f"{name!r} has {len(body)} bytes, more than {OBJECT_LIMIT}; split it", name=name)
    return body


def creation(key: Key, obj: FrozenJson, bookkeeping: Bookkeeping) -> Write:
    """The write that creates `obj`."""
    return Write(
        operation=Operation.CREATE,
        key=key,
        uid=obj["metadata"]["uid"],
        generation=obj["metadata"]["generation"],
        body=body_of(obj),
        labels=labels_of(obj),
        bookkeeping=bookkeeping,
        references=owner_targets(obj),
    )


def change(
    stored: StoredObject,
    obj: FrozenJson,
    bookkeeping: Bookkeeping,
    *,
    references: tuple[ReferenceTarget, ...] | None = None,
) -> Write:
    """The write that makes `stored` into `obj`: a DELETE when nothing holds a deleted object any more.

    `references` are all that `obj` refers to; None if they are as before.
    """
    gone = is_deleting(obj) and not is_pinned(obj)
    return Write(
        operation=Operation.DELETE if gone else Operation.UPDATE,
        key=stored.key,
        uid=stored.uid,
        generation=obj["metadata"]["generation"],
        body=body_of(obj),
        labels=labels_of(obj),
        bookkeeping=bookkeeping,
        deleting=is_deleting(obj),
        former=_former(stored, labels_of(obj)),
        references=references,
        expected=stored.revision,
    )


def _former(stored: StoredObject, labels: Labels) -> tuple[Labels, ...] | None:
    if stored.former is None or labels == stored.labels or stored.labels in stored.former:
        return stored.former
    former = (*stored.former, stored.labels)
    return former if len(former) <= FORMER_LIMIT else None


def with_bookkeeping(bookkeeping: Bookkeeping, controller: str | None, own: Mapping[str, str]) -> Bookkeeping:
    """The bookkeeping of all controllers with that of one replaced; unchanged for a plain caller."""
    if controller is None:
        return bookkeeping
    others = {name: annotations for name, annotations in bookkeeping.items() if name != controller}
    return {**others, controller: dict(own)} if own else others
