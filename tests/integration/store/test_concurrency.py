"""Many writers at once: no update is lost, revisions of a name only grow."""

from __future__ import annotations

import asyncio
import random

import orjson
import psycopg
import pytest

from tests.fixtures.objects import body_of, creation, deletion, key_of, update
from threeport.common.revisions import RevisionClock
from threeport.store.changes import Changes
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.records import Key, Listing, NameTaken, StaleRevision, StoredObject

A = key_of("a")
WRITERS = 100


def stores(database: Database, count: int, seen: list[StoredObject]) -> list[SqlObjectStore]:
    return [SqlObjectStore(database, RevisionClock(number), on_commit=seen.extend) for number in range(count)]


async def add_one(store: SqlObjectStore, key: Key) -> None:
    while True:
        found = await store.get(key)
        assert found is not None
        count = found.decoded()["spec"]["count"]
        try:
            await store.write([update(found, body=body_of(key, count=count + 1))])
        except StaleRevision:
            continue
        return


async def test_no_update_of_a_hundred_parallel_writers_is_lost(database: Database) -> None:
    seen: list[StoredObject] = []
    processes = stores(database, 8, seen)
    await processes[0].write([creation(A, body=body_of(A, count=0))])
    await asyncio.gather(*(add_one(random.choice(processes), A) for _ in range(WRITERS)))
    found = await processes[0].get(A)
    assert found is not None
    assert found.decoded()["spec"]["count"] == WRITERS
    by_count = sorted(seen, key=lambda each: each.decoded()["spec"]["count"])
    revisions = [each.revision for each in by_count]
    assert revisions == sorted(set(revisions))


async def test_of_a_hundred_creates_of_one_name_one_wins(database: Database) -> None:
    processes = stores(database, 8, [])
    results = await asyncio.gather(
        *(random.choice(processes).write([creation(A)]) for _ in range(WRITERS)), return_exceptions=True
    )
    assert sum(isinstance(result, list) for result in results) == 1
    assert sum(isinstance(result, NameTaken) for result in results) == WRITERS - 1


async def churn(store: SqlObjectStore, key: Key, rounds: int) -> None:
    for _ in range(rounds):
        found = await store.get(key)
        try:
            await store.write([creation(key) if found is None else random.choice((update, deletion))(found)])
        except (NameTaken, StaleRevision):
            continue


async def test_revisions_of_a_name_grow_over_deletions_and_recreations(database: Database) -> None:
    seen: list[StoredObject] = []
    processes = stores(database, 8, seen)
    await asyncio.gather(*(churn(process, A, 60) for process in processes for _ in range(3)))
    lives: dict[str, list[int]] = {}
    for each in seen:
        lives.setdefault(each.uid, []).append(each.revision)
    spans = sorted((min(revisions), max(revisions)) for revisions in lives.values())
    assert len(spans) > 5
    assert all(end < start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    assert len({each.revision for each in seen}) == len(seen)
    newest = {each.uid: each for each in sorted(seen, key=lambda each: each.revision)}
    changes = await Changes(database).since(0)
    assert {each.uid: each for each in changes} == newest


async def test_transactions_over_the_same_names_in_any_order_all_come_through(database: Database) -> None:
    processes = stores(database, 4, [])
    keys = [key_of(name) for name in "abcdef"]
    await processes[0].write([creation(key, body=body_of(key, count=0)) for key in keys])

    async def add_to_all(store: SqlObjectStore) -> None:
        while True:
            found = [await store.get(key) for key in random.sample(keys, len(keys))]
            try:
                await store.write(
                    [
                        update(each, body=body_of(each.key, count=each.decoded()["spec"]["count"] + 1))
                        for each in found
                        if each is not None
                    ]
                )
            except StaleRevision:
                continue
            return

    await asyncio.gather(*(add_to_all(random.choice(processes)) for _ in range(20)))
    page = await processes[0].list_page(Listing(keys[0].resource))
    assert [orjson.loads(each.body)["spec"]["count"] for each in page.items] == [20] * len(keys)


async def test_transactions_that_create_the_same_names_in_any_order_do_not_wait_for_each_other(
    database: Database,
) -> None:
    processes = stores(database, 4, [])
    keys = [key_of(f"n{number}") for number in range(20)]
    results = await asyncio.gather(
        *(process.write([creation(key) for key in random.sample(keys, len(keys))]) for process in processes),
        return_exceptions=True,
    )
    assert sum(isinstance(result, list) for result in results) == 1
    assert sum(isinstance(result, NameTaken) for result in results) == 3


async def test_postgres_refuses_a_creation_that_missed_a_tombstone(store: SqlObjectStore, database: Database) -> None:
    if database.is_cockroach:
        pytest.skip("CockroachDB is serializable")
    (made,) = await store.write([creation(A)])
    await store.write([deletion(made)])
    async with database.dedicated_connection() as connection:
        with pytest.raises(psycopg.errors.SerializationFailure):
            await connection.execute(
                "INSERT INTO objects (resource, namespace, name, uid, revision, generation, deleting, shard, labels,"
                " former, bookkeeping, body) VALUES (%s, %s, %s, 'u', %s, 1, false, 0, '{}', '[]', '{}', '{}')",
                [*A, made.revision],
            )
