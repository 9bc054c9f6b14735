"""From rows of the database to records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from threeport.store.records import Bookkeeping, Key, StoredObject

COLUMNS = "resource, namespace, name, uid, revision, generation, deleting, labels, former, bookkeeping, body"
"""What `stored` takes, in order: columns that `objects` and `tombstones` have both."""

NOTHING: Bookkeeping = {}


def stored(row: Sequence[Any], *, deleted: bool = False) -> StoredObject:
    """The record of a row of `COLUMNS`."""
    resource, namespace, name, uid, revision, generation, deleting, labels, former, bookkeeping, body = row
    return StoredObject(
        key=Key(resource, namespace, name),
        uid=uid,
        revision=revision,
        generation=generation,
        body=body,
        labels=labels,
        former=None if former is None else tuple(former),
        bookkeeping=NOTHING if bookkeeping == "{}" else orjson.loads(bookkeeping),
        deleted=deleted,
        deleting=deleting,
    )
