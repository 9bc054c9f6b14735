"""Notifications that JetStream has not acknowledged yet. Each write adds a row in its own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from threeport.store.database import Database
from threeport.store.records import Key

AGE = "extract(epoch FROM clock_timestamp() - written)::FLOAT8"

PENDING = f"""
    SELECT resource, namespace, name, uid, revision, {AGE} FROM outbox
    WHERE written < clock_timestamp() - %(older_than)s::FLOAT8 * INTERVAL '1 second'
    ORDER BY revision, uid LIMIT %(limit)s::BIGINT"""

OLDEST_AGE = f"SELECT {AGE} FROM outbox ORDER BY revision, uid LIMIT 1"

ACKNOWLEDGED = """
    DELETE FROM outbox WHERE (uid, revision) IN (SELECT * FROM unnest(%(uids)s::TEXT[], %(revisions)s::BIGINT[]))"""


class OutboxRow(NamedTuple):
    """That the object of `uid` got `revision`, `age` seconds ago."""

    key: Key
    uid: str
    revision: int
    age: float


class Outbox:
    """The table of notifications. Every method raises `StoreUnavailable` when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, *, older_than: float = 0.0, limit: int = 1000) -> list[OutboxRow]:
        """Up to `limit` rows of an age above `older_than` seconds, those of the lowest revisions first."""
        rows = await self._database.read(PENDING, {"older_than": older_than, "limit": limit})
        return [OutboxRow(Key(*row[:3]), *row[3:]) for row in rows]

    async def delete(self, rows: Sequence[tuple[str, int]]) -> None:
        """Deletes the rows of these (uid, revision), those that still exist."""
        uids, revisions = [uid for uid, _ in rows], [revision for _, revision in rows]
        await self._database.statement(ACKNOWLEDGED, {"uids": uids, "revisions": revisions})

    async def oldest_age(self) -> float | None:
        """Age of the row with the lowest revision in seconds, which no other exceeds by more than clocks differ; None
        if there is none."""
        rows = await self._database.read(OLDEST_AGE)
        return float(rows[0][0]) if rows else None
