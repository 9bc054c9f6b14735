"""Migrations, the outbox, changes for the hub, and the sweeper."""

from __future__ import annotations

import asyncio
import re
import uuid

from tests.fixtures.objects import RESOURCE, creation, deletion, key_of, update
from threeport.common.revisions import SECOND, revision_of, system_micros
from threeport.store.changes import PAGE, Changes, Place
from threeport.store.database import Database
from threeport.store.migrations import migrate
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.records import Key
from threeport.store.sweeper import Sweeper

HOUR = 3600 * SECOND


async def age(database: Database, table: str, uid: str, micros: int) -> None:
    """As if the row had been written that long ago."""
    async with database.dedicated_connection() as connection:
        statement = f"UPDATE {table} SET revision = %s WHERE uid = %s"
        await connection.execute(statement.encode(), [revision_of(system_micros() - micros), uid])


async def test_processes_that_migrate_at_once_all_succeed(postgres_dsn: str) -> None:
    schema = f"test_{uuid.uuid4().hex[:16]}"
    databases = [Database(postgres_dsn, schema=schema, max_size=2) for _ in range(6)]
    await asyncio.gather(*(database.open() for database in databases))
    await asyncio.gather(*(migrate(database) for database in databases))
    await migrate(databases[0])
    assert await databases[0].read("SELECT count(*) FROM objects") == [(0,)]
    async with databases[0].dedicated_connection() as connection:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
    await asyncio.gather(*(database.close() for database in databases))


async def test_steps_may_run_again_on_a_schema_that_has_them(store: SqlObjectStore, database: Database) -> None:
    (made,) = await store.write([creation(key_of("a"))])
    await database.statement("DELETE FROM migrations")
    await migrate(database)
    assert await store.get(made.key) == made


async def test_pending_rows_are_old_enough_and_can_be_deleted(store: SqlObjectStore, database: Database) -> None:
    outbox = Outbox(database)
    assert await outbox.oldest_age() is None
    (made,) = await store.write([creation(key_of("a"))])
    (changed,) = await store.write([update(made)])
    assert await outbox.pending(older_than=60) == []
    first, second = await outbox.pending(older_than=0)
    assert (first.revision, second.revision) == (made.revision, changed.revision)
    assert first.age >= second.age >= 0
    oldest = await outbox.oldest_age()
    assert oldest is not None
    assert 0 < oldest < 60
    await outbox.delete([(first.uid, first.revision), ("unknown", 1)])
    assert [row.revision for row in await outbox.pending()] == [changed.revision]
    await outbox.delete([])


async def test_a_page_of_changes_looks_at_no_more_than_it_has(store: SqlObjectStore, database: Database) -> None:
    for start in range(0, 2000, 500):
        await store.write([creation(key_of(f"n{number}")) for number in range(start, start + 500)])
    await database.statement("ANALYZE objects")
    parameters = {"resource": RESOURCE, **Place.above(0)._asdict(), "up_to": 1 << 62, "limit": 100}
    plan = "\n".join(line for (line,) in await database.statement(f"EXPLAIN ANALYZE {PAGE}", parameters))
    assert max(map(int, re.findall(r"actual .*?rows=(\d+)", plan))) < 150, plan


async def test_changes_ascend_and_include_tombstones(store: SqlObjectStore, database: Database) -> None:
    changes = Changes(database)
    first, second, third = [(await store.write([creation(key_of(name))]))[0] for name in "abc"]
    (gone,) = await store.write([deletion(first)])
    (other,) = await store.write([creation(key_of("a", resource="namespaces", namespace=""))])
    assert await changes.since(0) == [second, third, gone, other]
    assert await changes.since(second.revision) == [third, gone, other]
    page = [await changes.page(RESOURCE, after=Place.above(0), up_to=gone.revision, limit=limit) for limit in (2, 9)]
    assert page == [[second, third], [second, third, gone]]
    assert await changes.page(RESOURCE, after=Place.above(0), up_to=gone.revision - 1, limit=9) == [second, third]
    assert await changes.page(RESOURCE, after=Place(third.revision, third.uid), up_to=gone.revision, limit=9) == [gone]
    assert await changes.since(other.revision) == []


async def test_schemas_know_nothing_of_each_other(postgres_dsn: str, store: SqlObjectStore, database: Database) -> None:
    await store.write([creation(key_of("a"))])
    other = Database(postgres_dsn, schema=f"{database.schema}_other")
    await other.open()
    await migrate(other)
    assert await Changes(other).since(0) == []
    async with other.dedicated_connection() as connection:
        await connection.execute(f"DROP SCHEMA {other.schema} CASCADE".encode())
    await other.close()


async def test_the_sweeper_takes_tombstones_over_an_hour_old(store: SqlObjectStore, database: Database) -> None:
    old, young = await store.write([creation(key_of("old")), creation(key_of("young"))])
    await store.write([deletion(old), deletion(young)])
    await age(database, "tombstones", old.uid, HOUR + SECOND)
    await age(database, "tombstones", young.uid, HOUR - 60 * SECOND)
    assert await Sweeper(database, store).sweep() == (1, 0)
    assert [each.uid for each in await Changes(database).since(0)] == [young.uid]


async def test_the_sweeper_deletes_old_events_so_that_watchers_hear_of_it(
    store: SqlObjectStore, database: Database
) -> None:
    made = await store.write([creation(Key("events", "default", f"e{number}")) for number in range(3)])
    for each in made[:2]:
        await age(database, "objects", each.uid, HOUR + SECOND)
    results = await asyncio.gather(*(Sweeper(database, store).sweep() for _ in range(2)))
    assert sum(swept.events for swept in results) == 2
    changes = {each.uid: each for each in await Changes(database).since(0)}
    assert [changes[each.uid].deleted for each in made] == [True, True, False]
