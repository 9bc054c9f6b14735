"""Deletes what has served its time: tombstones that no watch may ask for any more, and Events.

Every process sweeps; batches are small, so that two who sweep at once or a busy database lose little to each other.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from threeport.common.revisions import SECOND, revision_of
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.records import Operation, StaleRevision, StoredObject, Write
from threeport.store.rows import COLUMNS, stored
from threeport.store.statements import NOW

TOMBSTONE_LIFE: Final = 60 * 60
"""Seconds; a watch is refused (410) well before."""

EVENT_LIFE: Final = 60 * 60
"""Seconds since an Event last changed; kube-apiserver's ``--event-ttl`` is an hour too."""

EVENTS: Final = "events"
BATCH: Final = 200

OLD_TOMBSTONES = """
    DELETE FROM tombstones WHERE uid IN (
        SELECT uid FROM tombstones WHERE revision < %(before)s::BIGINT ORDER BY revision LIMIT %(limit)s::BIGINT
    ) RETURNING uid"""

OLD_EVENTS = f"""
    SELECT {COLUMNS} FROM objects WHERE resource = %(resource)s::TEXT AND revision < %(before)s::BIGINT
    ORDER BY revision LIMIT %(limit)s::BIGINT"""


class Swept(NamedTuple):
    """How many rows of each went."""

    tombstones: int
    events: int


class Sweeper:
    """Sweeps one database. Events are deleted through the store, so that watchers hear of it."""

    def __init__(self, database: Database, store: SqlObjectStore) -> None:
        self._database = database
        self._store = store

    async def sweep(self) -> Swept:
        """Deletes all that is too old now. Raises `StoreUnavailable`."""
        ((now,),) = await self._database.read(f"SELECT {NOW}")
        tombstones = await self._sweep_tombstones(revision_of(now - TOMBSTONE_LIFE * SECOND))
        events = await self._sweep_events(revision_of(now - EVENT_LIFE * SECOND))
        return Swept(tombstones, events)

    async def _sweep_tombstones(self, before: int) -> int:
        swept = 0
        while True:
            rows = await self._database.statement(OLD_TOMBSTONES, {"before": before, "limit": BATCH})
            swept += len(rows)
            if len(rows) < BATCH:
                return swept

    async def _sweep_events(self, before: int) -> int:
        swept = 0
        while True:
            parameters = {"resource": EVENTS, "before": before, "limit": BATCH}
            rows = await self._database.read(OLD_EVENTS, parameters)
            try:
                swept += len(await self._store.write([_deletion(stored(row)) for row in rows])) if rows else 0
            except StaleRevision:
                continue  # Another sweeps the same, or an Event has come back to life: look again.
            if len(rows) < BATCH:
                return swept


def _deletion(event: StoredObject) -> Write:
    return Write(
        operation=Operation.DELETE,
        key=event.key,
        uid=event.uid,
        generation=event.generation,
        body=event.body,
        labels=event.labels,
        bookkeeping=event.bookkeeping,
        deleting=event.deleting,
        former=event.former,
        expected=event.revision,
    )
