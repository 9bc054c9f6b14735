"""A row that others hold keeps only those waiting who want to change it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.fixtures.objects import creation, deletion, key_of, update
from threeport.store.database import Connection, Database, fetch
from threeport.store.objects import SqlObjectStore
from threeport.store.records import Key, StoredObject, Write
from threeport.store.statements import SAME_KEY

INNOCENT = 40


@asynccontextmanager
async def held(database: Database, key: Key) -> AsyncIterator[Connection]:
    """Another's transaction that has changed the object and does not come to its end."""
    async with database.dedicated_connection() as connection:
        await fetch(connection, "BEGIN")
        await fetch(connection, f"UPDATE objects SET generation = generation WHERE {SAME_KEY}", key._asdict())
        yield connection
        await fetch(connection, "ROLLBACK")


async def timed(writing: Awaitable[list[StoredObject]]) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await writing
    return loop.time() - begun


async def together(store: SqlObjectStore, writes: list[Write]) -> list[asyncio.Task[float]]:
    """Single writes that go out in one statement, behind one that is under way."""
    first = asyncio.create_task(timed(store.write(writes[:1])))
    await asyncio.sleep(0)
    return [first, *(asyncio.create_task(timed(store.write([write]))) for write in writes[1:])]


@pytest.mark.parametrize("change", [update, deletion])
async def test_writes_that_go_out_with_one_that_others_hold_up_are_made(
    store: SqlObjectStore, database: Database, change: Callable[[StoredObject], Write]
) -> None:
    objects = await store.write([creation(key_of(f"n{number:02}")) for number in range(INNOCENT)])
    locked = objects[INNOCENT // 2]
    async with held(database, locked.key):
        tasks = await together(store, [change(each) for each in objects])
        innocent = [task for task, each in zip(tasks, objects, strict=True) if each is not locked]
        guilty = tasks[INNOCENT // 2]
        assert max(await asyncio.gather(*innocent)) < 2.5, "the database would end the statement after 4 s"
        assert not guilty.done()
    await guilty


async def test_who_waits_for_others_writes_as_soon_as_they_are_done(store: SqlObjectStore, database: Database) -> None:
    objects = await store.write([creation(key_of(f"n{number}")) for number in range(3)])
    async with held(database, objects[1].key):
        tasks = await together(store, [update(each) for each in objects])
        await asyncio.gather(tasks[0], tasks[2])
        await asyncio.sleep(0.5)
        assert not tasks[1].done()
    await tasks[1]
    found = await store.get(objects[1].key)
    assert found is not None
    assert found.revision > objects[1].revision


async def test_what_was_changed_beside_one_that_waits_can_be_changed_again(
    store: SqlObjectStore, database: Database
) -> None:
    objects = await store.write([creation(key_of(f"n{number}")) for number in range(3)])
    async with held(database, objects[1].key):
        tasks = [asyncio.create_task(store.write([update(each)])) for each in objects]
        ((first,), _) = await asyncio.gather(tasks[0], tasks[2])
        await asyncio.wait_for(store.write([update(first)]), 2.5)
        assert not tasks[1].done()
    await tasks[1]
