"""Notifications that JetStream has not acknowledged yet. Each write adds a row in its own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from threeport.store.database import Database
from threeport.store.records import Key

AGE = "extract(epoch FROM clock_timestamp() - written)::FLOAT8"


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
        """Up to `limit` rows of an age above `older_than` seconds, oldest first."""
        rows = await self._database.read(
            f"SELECT resource, namespace, name, uid, revision, {AGE} FROM outbox"
            " WHERE written < clock_timestamp() - %s::FLOAT8 * INTERVAL '1 second' ORDER BY written LIMIT %s::BIGINT",
            [older_than, limit],
        )
        return [OutboxRow(Key(*row[:3]), *row[3:]) for row in rows]

    async def delete(self, rows: Sequence[tuple[str, int]]) -> None:
        """Deletes the rows of these (uid, revision), those that still exist."""
        await self._database.statement(
            "DELETE FROM outbox WHERE (uid, revision) IN (SELECT * FROM unnest(%s::TEXT[], %s::BIGINT[]))",
            [[uid for uid, _ in rows], [revision for _, revision in rows]],
        )

    async def oldest_age(self) -> float | None:
        """Age of the oldest row in seconds; None if there is none."""
        ((age,),) = await self._database.read(
            "SELECT extract(epoch FROM clock_timestamp() - min(written))::FLOAT8 FROM outbox"
        )
        return None if age is None else float(age)
