"""The database goes away and comes back; answers get lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.objects import creation, deletion, key_of, update
from tests.fixtures.ports import free_port
from tests.fixtures.proxy import Proxy, proxy_to
from threeport.bootstrap.local.postgres import PostgresServer
from threeport.common.revisions import RevisionClock
from threeport.store.changes import Changes
from threeport.store.database import Database, OutcomeUnknown
from threeport.store.migrations import migrate
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.records import Listing, StoredObject, StoreUnavailable, Write

A, B = key_of("a"), key_of("b")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    """A PostgreSQL that may be killed."""
    server = PostgresServer(tmp_path / "postgres", password="word", port=free_port())
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.fixture
async def opened(server: PostgresServer) -> AsyncIterator[Database]:
    database = Database(server.dsn)
    await database.open()
    await migrate(database)
    yield database
    await database.close()


async def test_acknowledged_writes_survive_a_killed_database_and_the_pool_recovers(
    server: PostgresServer, opened: Database
) -> None:
    store = SqlObjectStore(opened, RevisionClock(1), on_commit=lambda _: None)
    acknowledged: list[StoredObject] = []
    refused = asyncio.Event()
    done = asyncio.Event()

    async def write_on(writer: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            try:
                acknowledged.extend(await store.write([creation(key_of(f"w{writer}-{number}"))]))
            except StoreUnavailable:
                refused.set()
                await asyncio.sleep(0.05)

    writers = [asyncio.ensure_future(write_on(writer)) for writer in range(16)]
    await until(lambda: len(acknowledged) > 200)
    server.kill()
    await asyncio.wait_for(refused.wait(), 20)
    before = len(acknowledged)
    await asyncio.to_thread(server.start)
    back = time.monotonic()
    await until(lambda: len(acknowledged) > before + 200)
    assert time.monotonic() - back < 10
    done.set()
    await asyncio.gather(*writers)
    found = {each.uid: each for each in await Changes(opened).since(0)}
    assert all(found[each.uid] == each for each in acknowledged)


async def test_without_a_database_every_call_says_so(server: PostgresServer, opened: Database) -> None:
    store = SqlObjectStore(opened, RevisionClock(1), on_commit=lambda _: None)
    server.kill()
    calls = (
        store.get(A),
        store.list_page(Listing(A.resource)),
        store.write([creation(A)]),
        store.write([creation(A), creation(B)]),
        store.blockers(A),
        Outbox(opened).oldest_age(),
        opened.ping(),
        Database(server.dsn).open(),
        migrate(opened),
    )
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} <= {StoreUnavailable, OutcomeUnknown}


@pytest.fixture
async def proxy(server: PostgresServer) -> AsyncIterator[Proxy]:
    async with proxy_to(server.port) as proxy:
        yield proxy


@pytest.fixture
async def proxied(server: PostgresServer, opened: Database, proxy: Proxy) -> AsyncIterator[SqlObjectStore]:
    """A store whose answers can get lost."""
    database = Database(server.dsn.replace(f":{server.port}/", f":{proxy.port}/"))
    await database.open()
    yield SqlObjectStore(database, RevisionClock(1), on_commit=lambda _: None)
    await database.close()


async def test_a_write_whose_answer_got_lost_is_found_and_not_repeated(
    proxied: SqlObjectStore, opened: Database, proxy: Proxy
) -> None:
    proxy.lose_answer_to(b"INSERT INTO objects")
    (made,) = await proxied.write([creation(A)])
    proxy.lose_answer_to(b"UPDATE objects")
    (changed,) = await proxied.write([update(made, generation=2)])
    assert await proxied.get(A) == changed
    proxy.lose_answer_to(b"DELETE FROM objects")
    (gone,) = await proxied.write([deletion(changed)])
    assert proxy.lost == 3
    assert gone.deleted
    assert await Changes(opened).since(0) == [gone]
    revisions = [row.revision for row in await Outbox(opened).pending()]
    assert revisions == [made.revision, changed.revision, gone.revision]


async def test_a_write_that_the_server_finishes_after_the_connection_is_lost_is_no_conflict(
    proxied: SqlObjectStore, opened: Database, proxy: Proxy
) -> None:
    (made,) = await proxied.write([creation(A)])
    async with opened.dedicated_connection() as connection:
        await connection.execute(
            "CREATE FUNCTION dawdle() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END'"
        )
        await connection.execute("CREATE TRIGGER slow AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION dawdle()")
    proxy.lose_answer_to(b"UPDATE objects", at_once=True)
    (changed,) = await proxied.write([update(made, generation=2)])
    assert await proxied.get(A) == changed
    proxy.lose_answer_to(b"INSERT INTO objects", at_once=True)
    (other,) = await proxied.write([creation(B)])
    assert await proxied.get(B) == other
    assert proxy.lost == 2
    assert len(await Outbox(opened).pending()) == 3


async def test_a_transaction_whose_commit_got_lost_is_found_and_not_repeated(
    proxied: SqlObjectStore, opened: Database, proxy: Proxy
) -> None:
    proxy.lose_answer_to(b"COMMIT")
    writes: list[Write] = [creation(B), creation(A)]
    results = await proxied.write(writes)
    assert proxy.lost == 1
    assert [each.uid for each in results] == [each.uid for each in writes]
    assert sorted(await Changes(opened).since(0), key=lambda each: each.key) == [results[1], results[0]]
    assert len(await Outbox(opened).pending()) == 2


async def test_a_read_whose_answer_got_lost_is_repeated(proxied: SqlObjectStore, proxy: Proxy) -> None:
    (made,) = await proxied.write([creation(A)])
    proxy.lose_answer_to(b"FROM objects")
    assert await proxied.get(A) == made
    assert proxy.lost == 1


async def until(condition: object, *, seconds: float = 30) -> None:
    """Return when the condition holds; fail after `seconds`."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
