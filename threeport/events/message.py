"""Changes as messages: a line of JSON with what the hub has to know, and behind it the stored body, as it is.

The body is never decoded on its way, and sensitive fields in it are ciphertext, as in the database.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import orjson

from threeport.store.records import Key, StoredObject

LIMIT: Final = 900_000
"""Bytes; a longer message is replaced by a reference. nats-server takes up to 1 MiB by default."""


class Reference(NamedTuple):
    """Says that there is a change, and not what it is: the hub finds that in the database."""

    key: Key
    uid: str
    revision: int


Message: TypeAlias = StoredObject | Reference


def message_id(resource: str, uid: str, revision: int) -> str:
    """What JetStream knows repetitions by, and hubs what they know already."""
    return f"{resource}:{uid}:{revision}"


def identity_of(message_id: str) -> tuple[str, str, int] | None:
    """Resource, uid and revision of the change; None if the text is not a `message_id`."""
    resource, _, rest = message_id.partition(":")
    uid, _, revision = rest.partition(":")
    return (resource, uid, int(revision)) if revision.isdecimal() else None


def encode(change: Message, *, limit: int = LIMIT) -> bytes:
    """The bytes to publish; of an object that would take more than `limit` bytes only a reference."""
    if isinstance(change, Reference):
        return orjson.dumps({"key": [*change.key], "uid": change.uid, "revision": change.revision})
    head = orjson.dumps(
        {
            "key": [*change.key],
            "uid": change.uid,
            "revision": change.revision,
            "generation": change.generation,
            "labels": change.labels,
            "former": change.former,
            "bookkeeping": change.bookkeeping,
            "deleted": change.deleted,
            "deleting": change.deleting,
        },
        default=dict,  # for mappings of other types
    )
    data = b"%b\n%b" % (head, change.body.encode())
    return data if len(data) <= limit else encode(Reference(change.key, change.uid, change.revision))


def decode(data: bytes) -> Message:
    """What `encode` made the bytes of. Raises `ValueError` if they are something else."""
    head, _, body = data.partition(b"\n")
    try:
        fields = orjson.loads(head)
        key = Key(*fields.pop("key"))
        if not body:
            return Reference(key, **fields)
        former = fields.pop("former")
        return StoredObject(key=key, body=body.decode(), former=None if former is None else tuple(former), **fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a message about a change: {data[:80]!r}") from error
