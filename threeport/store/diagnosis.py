"""Why a write was not made: looked up after the fact, in the order in which the writer needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never

import orjson

from threeport.common.revisions import SECOND, SKEW_LIMIT, micros_of
from threeport.store.database import Connection, fetch
from threeport.store.records import (
    Fence,
    Key,
    LeaseLost,
    NameTaken,
    Operation,
    StaleRevision,
    StillReferenced,
    StoredObject,
    Write,
)
from threeport.store.rows import COLUMNS, stored
from threeport.store.statements import BLOCKERS, NOW, REFERRED_TO, SAME_KEY

SHOWN_BLOCKERS = 10


class TryAgain(Exception):
    """Nothing was changed, for a reason that another attempt may not meet; the message says which.

    `together` says that one statement is not enough, and the next attempt takes a transaction.
    """

    def __init__(self, message: str, *, together: bool = False) -> None:
        super().__init__(message)
        self.together = together


class NameTakenMeanwhile(TryAgain):
    """The name was taken when the statement ran, and is free now."""


def named(key: Key) -> str:
    """The key as people write it."""
    return f"{key.resource} {key.namespace}/{key.name}" if key.namespace else f"{key.resource} {key.name}"


async def explain(connection: Connection, write: Write, *, stamp: int, fence: Fence | None) -> Never:
    """Raises why the write was not made, or `TryAgain` where what stood in its way can be overcome."""
    await _refuse_lost_lease(connection, fence)
    await _refuse_changed(write, await find(connection, write.key))
    if write.refuse_if_referenced:
        await refuse_referenced(connection, [write])
    ((now,),) = await fetch(connection, f"SELECT {NOW}")
    ahead = micros_of(stamp) - now
    if abs(ahead) > SKEW_LIMIT:
        raise TryAgain(f"the clock of this process is {ahead / SECOND:+.1f} s off the database's: set it right")
    if write.operation is Operation.CREATE:
        raise NameTakenMeanwhile("others create and delete the same name")
    raise TryAgain("others change what it depends on", together=write.references is not None)


async def find(connection: Connection, key: Key) -> StoredObject | None:
    """The living object of a key."""
    rows = await fetch(connection, f"SELECT {COLUMNS} FROM objects WHERE {SAME_KEY}", key._asdict())
    return stored(rows[0]) if rows else None


async def blockers(connection: Connection, key: Key, *, limit: int) -> list[Key]:
    """Who refers to the key with a reference that blocks its deletion."""
    query = f"{BLOCKERS} ORDER BY f.resource, f.namespace, f.name LIMIT %(limit)s"
    return [Key(*row) for row in await fetch(connection, query, {**key._asdict(), "limit": limit})]


async def refuse_referenced(connection: Connection, writes: Sequence[Write]) -> None:
    """Raises `StillReferenced` if a key of the writes is referred to by an object that stands."""
    keys = [{"position": position, **write.key._asdict()} for position, write in enumerate(writes)]
    rows = await fetch(connection, REFERRED_TO, {"keys": orjson.dumps(keys).decode()}) if keys else []
    for (position,) in rows:
        key = writes[position].key
        raise StillReferenced(key, await blockers(connection, key, limit=SHOWN_BLOCKERS))


async def _refuse_lost_lease(connection: Connection, fence: Fence | None) -> None:
    if fence is None:
        return
    rows = await fetch(connection, "SELECT epoch FROM leases WHERE name = %s", [fence.lease])
    if [tuple(row) for row in rows] != [(fence.epoch,)]:
        raise LeaseLost(fence)


async def _refuse_changed(write: Write, found: StoredObject | None) -> None:
    if write.operation is Operation.CREATE:
        if found is not None:
            raise NameTaken(write.key, found)
    elif found is None or found.uid != write.uid or write.expected not in (None, found.revision):
        raise StaleRevision(write.key, found)
