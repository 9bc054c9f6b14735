"""The stream may lose everything, the broker may die: watchers still end up with what the database holds."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import nats
import pytest

from tests.fixtures.ports import free_port
from tests.integration.events.conftest import TIMING, ApiProcess, StartApi, Watcher, eventually, state_of
from threeport.bootstrap.local.nats import NatsServer
from threeport.bootstrap.local.postgres import PostgresServer, new_password
from threeport.common.errors import TooManyRequests
from threeport.common.revisions import SECOND, RevisionClock, system_micros
from threeport.events.broker import BrokerSettings
from threeport.events.stream import StreamSettings
from threeport.store.database import Database
from threeport.store.migrations import migrate
from threeport.store.records import StoredObject, StoreUnavailable

Apis = list[ApiProcess]


@pytest.fixture
async def apis(start_api: StartApi, own_nats: NatsServer) -> Apis:
    """Two processes on a broker that the test may kill."""
    started = [await start_api(own_nats.url) for _ in range(2)]
    await eventually(lambda: all(api.hub.health().nats == "ok" for api in started))
    return started


async def write_at_random(apis: Apis, writes: int, seed: int) -> None:
    """Create, update, delete and re-create a few names, at both processes."""
    chance = random.Random(seed)
    living: dict[str, StoredObject] = {}
    for _ in range(writes):
        api, name = chance.choice(apis), f"n{chance.randrange(12)}"
        obj = living.get(name)
        if obj is None:
            living[name] = await api.create(name)
        elif chance.random() < 0.4:
            await api.delete(living.pop(name))
        else:
            living[name] = await api.change(obj)
        if chance.random() < 0.1:
            await asyncio.sleep(0.01)


async def settle(apis: Apis, watchers: list[Watcher]) -> None:
    """All watchers get to know what the database holds, by name and by uid."""
    for watcher in watchers:
        expected = await state_of(apis[0])
        await watcher.until(lambda w=watcher, e=expected: w.by_name == e and w.by_uid == dict(e.values()), seconds=20)
        assert watcher.ended is None


async def test_wiping_the_stream_in_mid_flight_loses_nothing(
    apis: Apis, own_nats: NatsServer, stream: StreamSettings
) -> None:
    watchers = [Watcher(api.hub, api.hub.list_revision()) for api in apis]
    client = await nats.connect(own_nats.url)
    jetstream = client.jetstream()
    writing = asyncio.create_task(write_at_random(apis, 600, seed=1))
    for _ in range(5):
        await asyncio.sleep(0.1)
        await jetstream.purge_stream(stream.name)
    await jetstream.delete_stream(stream.name)
    await writing
    await settle(apis, watchers)
    # The stream is made again, and events come through it again.
    await eventually(lambda: all(api.events.relay.oldest_age == 0.0 for api in apis))
    assert (await jetstream.stream_info(stream.name)).config.name == stream.name
    await eventually(lambda: all(api.hub.health().nats == "ok" for api in apis))
    before = apis[1].hub.health().events["stream"]
    await apis[0].create("afterwards")
    await settle(apis, watchers)
    assert apis[1].hub.health().events["stream"] > before
    await client.close()


async def test_a_broker_killed_and_restarted_under_writes_loses_nothing(apis: Apis, own_nats: NatsServer) -> None:
    watchers = [Watcher(api.hub, api.hub.list_revision()) for api in apis]
    writing = asyncio.create_task(write_at_random(apis, 800, seed=2))
    await asyncio.sleep(0.2)
    own_nats.kill()
    await eventually(lambda: all(api.hub.health().nats == "lost" for api in apis))
    await apis[0].create("while-it-is-away")
    await watchers[1].until(lambda: "while-it-is-away" in watchers[1].by_name, seconds=4)
    own_nats.start()
    await writing
    await eventually(lambda: all(api.hub.health().nats == "ok" for api in apis))
    await settle(apis, watchers)
    await eventually(lambda: all(api.events.relay.oldest_age == 0.0 for api in apis))


async def test_a_process_that_dies_before_it_publishes_leaves_the_work_to_the_others(apis: Apis) -> None:
    watcher = Watcher(apis[1].hub, apis[1].hub.list_revision())
    apis[0].events.relay.pause()
    await apis[0].create("w")
    await apis[0].events.relay.close()
    await watcher.until(lambda: "w" in watcher.by_name)
    await eventually(lambda: apis[1].events.relay.lagging)
    await eventually(lambda: apis[1].events.relay.oldest_age == 0.0)


async def test_a_process_whose_clock_is_off_serves_neither_list_nor_watch(
    database: Database, own_nats: NatsServer, stream: StreamSettings
) -> None:
    offset = 0
    clock = RevisionClock(9, now=lambda: system_micros() + offset)
    api = ApiProcess(database, BrokerSettings(servers=(own_nats.url,), stream=stream), clock)
    await api.events.open()
    watcher = Watcher(api.hub, None)
    await watcher.until(lambda: bool(watcher.bookmarks))
    offset = 3 * SECOND
    await eventually(lambda: api.events.health().clock_offset > 2.5)
    with pytest.raises(TooManyRequests, match=r"clock of this API server is (2\.9|3\.0) s off"):
        api.hub.list_revision()
    offset = 0
    await eventually(lambda: api.events.health().clock_offset < 0.1)
    assert api.hub.list_revision() > 0
    assert watcher.ended is None
    await api.events.close()


@pytest.fixture
async def own_database(tmp_path: Path) -> AsyncIterator[tuple[PostgresServer, Database]]:
    """A durable database that the test may kill."""
    server = PostgresServer(tmp_path / "postgres", password=new_password(), port=free_port())
    server.start()
    database = Database(server.dsn)
    await database.open()
    await migrate(database)
    yield server, database
    await database.close()
    server.stop()


async def test_a_database_killed_and_restarted_under_writes_loses_no_event(
    own_database: tuple[PostgresServer, Database], own_nats: NatsServer, stream: StreamSettings
) -> None:
    server, database = own_database
    settings = BrokerSettings(servers=(own_nats.url,), stream=stream)
    apis = [ApiProcess(database, settings, RevisionClock(number)) for number in (1, 2)]
    for api in apis:
        await api.events.open()
    watchers = [Watcher(api.hub, api.hub.list_revision()) for api in apis]
    await asyncio.gather(*(watcher.until(lambda w=watcher: bool(w.bookmarks)) for watcher in watchers))

    async def write_until_it_dies() -> None:
        for number in itertools.count():
            await apis[number % 2].create(f"before-{number}")

    writing = asyncio.create_task(write_until_it_dies())
    await watchers[0].until(lambda: len(watchers[0].by_name) > 50)
    server.kill()
    with pytest.raises(StoreUnavailable):
        await writing
    server.start()
    await until_it_answers(apis[0])
    await apis[1].create("afterwards")
    await settle(apis, watchers)
    assert "afterwards" in watchers[0].by_name
    for api in apis:
        await api.events.close()


async def until_it_answers(api: ApiProcess) -> None:
    """Wait until the process can write again."""
    async with asyncio.timeout(20):
        for attempt in itertools.count():
            try:
                await api.create(f"while-it-comes-back-{attempt}")
                return
            except StoreUnavailable:
                await asyncio.sleep(0.05)


async def test_without_the_database_watches_are_cut_and_can_be_resumed_when_it_is_back(
    own_database: tuple[PostgresServer, Database], own_nats: NatsServer, stream: StreamSettings
) -> None:
    server, database = own_database
    timing = replace(TIMING, refresh=SECOND // 2, fence=SECOND, abandon=2 * SECOND)
    api = ApiProcess(database, BrokerSettings(servers=(own_nats.url,), stream=stream), RevisionClock(1), timing)
    await api.events.open()
    watcher = Watcher(api.hub, api.hub.list_revision())
    created = await api.create("w")
    await watcher.until(lambda: bool(watcher.received))
    server.kill()
    await watcher.until(lambda: watcher.ended is not None)
    assert isinstance(watcher.ended, StopAsyncIteration)
    assert not api.events.health().ready
    server.start()
    await until_it_answers(api)
    resumed = Watcher(api.hub, created.revision)
    expected = await state_of(api)
    await resumed.until(lambda: resumed.by_name == expected)
    await api.events.close()
