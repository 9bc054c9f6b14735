"""The outbox when much of it is left: NATS has been away for long."""

from __future__ import annotations

import re

import pytest

from threeport.common.revisions import SECOND, revision_of, system_micros
from threeport.store.database import Database
from threeport.store.migrations import migrate
from threeport.store.outbox import ACKNOWLEDGED, OLDEST_AGE, PENDING, Outbox
from threeport.store.records import Key

ROWS = 3000
LEFT = """
    INSERT INTO outbox (uid, revision, resource, namespace, name, written)
    SELECT 'u' || n, %(first)s::BIGINT + n, 'things', '', 'n' || n, clock_timestamp() - INTERVAL '60 seconds'
    FROM generate_series(1, %(rows)s::BIGINT) AS n"""
OLD_TABLE = ("DROP INDEX outbox_revision", "ALTER TABLE outbox ADD CONSTRAINT outbox_pkey PRIMARY KEY (uid, revision)")
"""What makes the table what it was before it had an order."""


@pytest.fixture
async def left(database: Database) -> Database:
    """A database whose outbox holds `ROWS` rows of a minute ago."""
    await database.statement(LEFT, {"first": revision_of(system_micros() - 60 * SECOND), "rows": ROWS})
    await database.statement("ANALYZE outbox")
    return database


@pytest.mark.parametrize(
    ("statement", "parameters", "rows"),
    [
        (PENDING, {"older_than": 2.0, "limit": 100}, 100),
        (OLDEST_AGE, {}, 1),
        (ACKNOWLEDGED, {"uids": ["u7", "u8"], "revisions": [7, 8]}, 2),
    ],
    ids=["pending", "oldest", "acknowledged"],
)
async def test_no_more_rows_are_looked_at_than_are_wanted(
    left: Database, statement: str, parameters: dict[str, object], rows: int
) -> None:
    plan = "\n".join(line for (line,) in await left.statement(f"EXPLAIN ANALYZE {statement}", parameters))
    found = re.findall(r"actual .*?rows=(\d+)", plan)
    assert max(map(int, found)) <= rows, plan
    assert "Rows Removed" not in plan


async def test_the_lowest_revisions_come_first_and_none_is_left_out(left: Database) -> None:
    outbox, seen = Outbox(left), list[int]()
    while rows := await outbox.pending(older_than=2, limit=700):
        seen += [row.revision for row in rows]
        await outbox.delete([(row.uid, row.revision) for row in rows])
    assert seen == sorted(set(seen))
    assert len(seen) == ROWS
    assert await outbox.oldest_age() is None


async def test_what_an_earlier_version_has_left_is_found_when_the_table_has_been_changed(left: Database) -> None:
    if left.is_cockroach:
        pytest.skip("its table keeps its primary key")
    for step in (*OLD_TABLE, "DELETE FROM migrations"):
        await left.statement(step)
    await migrate(left)
    (first,) = await Outbox(left).pending(older_than=2, limit=1)
    assert first.key == Key("things", "", "n1")
    assert (
        await left.read("SELECT 1 FROM pg_indexes WHERE schemaname = %s AND indexname = 'outbox_pkey'", [left.schema])
        == []
    )
