"""What has changed since a revision, for the hub: SQL is the truth, and the stream only makes it fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from threeport.store.database import Database
from threeport.store.records import StoredObject
from threeport.store.rows import COLUMNS, stored

SINCE = f"""
    SELECT {COLUMNS}, false AS deleted FROM objects WHERE revision > %(revision)s::BIGINT {{and_resource}}
    UNION ALL
    SELECT {COLUMNS}, true AS deleted FROM tombstones WHERE revision > %(revision)s::BIGINT {{and_resource}}
    ORDER BY revision"""
"""One statement, hence one snapshot: an object that is being deleted is in one of the tables, never in none."""

ALL_SINCE = SINCE.replace("{and_resource}", "")
RESOURCE_SINCE = SINCE.replace("{and_resource}", "AND resource = %(resource)s::TEXT")

HEADS_SINCE = """
    SELECT resource, uid, revision FROM objects WHERE revision > %(revision)s::BIGINT
    UNION ALL
    SELECT resource, uid, revision FROM tombstones WHERE revision > %(revision)s::BIGINT"""

OF_UIDS = f"""
    SELECT {COLUMNS}, false AS deleted FROM objects WHERE uid = ANY(%(uids)s::TEXT[])
    UNION ALL
    SELECT {COLUMNS}, true AS deleted FROM tombstones WHERE uid = ANY(%(uids)s::TEXT[])"""


class Head(NamedTuple):
    """Which object has changed, and the revision it has now."""

    resource: str
    uid: str
    revision: int


class Changes:
    """Reads the newest state of what has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, revision: int, resource: str | None = None) -> list[StoredObject]:
        """Objects and tombstones with a revision above `revision`, ascending; `resource` None means all.

        Raises `StoreUnavailable`.
        """
        query = ALL_SINCE if resource is None else RESOURCE_SINCE
        rows = await self._database.read(query, {"revision": revision, "resource": resource})
        return [stored(row, deleted=deleted) for *row, deleted in rows]

    async def heads(self, revision: int) -> list[Head]:
        """What `since` would return, without the objects themselves: a tenth of the work. Raises `StoreUnavailable`."""
        rows = await self._database.read(HEADS_SINCE, {"revision": revision})
        return [Head(*row) for row in rows]

    async def of(self, uids: Sequence[str]) -> list[StoredObject]:
        """These objects or their tombstones as they are now, in no order. Raises `StoreUnavailable`."""
        rows = await self._database.read(OF_UIDS, {"uids": list(uids)})
        return [stored(row, deleted=deleted) for *row, deleted in rows]

    async def clock(self) -> int:
        """The database's clock, in microseconds since the epoch. Raises `StoreUnavailable`."""
        ((micros,),) = await self._database.read("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT")
        return int(micros)
