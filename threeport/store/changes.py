"""What has changed since a revision, for the hub: SQL is the truth, and the stream only makes it fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from threeport.store.database import Database
from threeport.store.records import StoredObject
from threeport.store.rows import COLUMNS, stored

SINCE = f"""
    SELECT {COLUMNS}, false AS deleted FROM objects WHERE revision > %(revision)s::BIGINT
    UNION ALL
    SELECT {COLUMNS}, true AS deleted FROM tombstones WHERE revision > %(revision)s::BIGINT
    ORDER BY revision"""
"""One statement, hence one snapshot: an object that is being deleted is in one of the tables, never in none."""

_IN_PAGE = """
    WHERE resource = %(resource)s::TEXT
    AND (revision, uid) > (%(revision)s::BIGINT, %(uid)s::TEXT) AND revision <= %(up_to)s::BIGINT
    ORDER BY revision, uid LIMIT %(limit)s::BIGINT"""

PAGE = f"""
    SELECT * FROM (SELECT {COLUMNS}, false AS deleted FROM objects {_IN_PAGE}) AS living
    UNION ALL
    SELECT * FROM (SELECT {COLUMNS}, true AS deleted FROM tombstones {_IN_PAGE}) AS gone
    ORDER BY revision, uid LIMIT %(limit)s::BIGINT"""
"""Each table is read in order up to its own limit: of both together PostgreSQL would sort all that follows."""

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


class Place(NamedTuple):
    """Between two changes, in order of revision; those of different objects may, rarely, have the same."""

    revision: int
    uid: str

    @classmethod
    def above(cls, revision: int) -> Place:
        """Behind all changes of `revision`."""
        return cls(revision + 1, "")


class Changes:
    """Reads the newest state of what has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, revision: int) -> list[StoredObject]:
        """Objects and tombstones with a revision above `revision`, ascending. Raises `StoreUnavailable`."""
        rows = await self._database.read(SINCE, {"revision": revision})
        return [stored(row, deleted=deleted) for *row, deleted in rows]

    async def page(self, resource: str, *, after: Place, up_to: int, limit: int) -> list[StoredObject]:
        """The first `limit` objects and tombstones of `resource` behind `after` and with a revision up to `up_to`,
        ascending. Raises `StoreUnavailable`."""
        parameters = {"resource": resource, **after._asdict(), "up_to": up_to, "limit": limit}
        rows = await self._database.read(PAGE, parameters)
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
