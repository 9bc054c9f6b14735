"""API processes reduced to what events need: a store, a relay and a hub, on a real database and a real broker."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.ports import free_port
from threeport.bootstrap.local.nats import NatsServer
from threeport.common.ids import new_uid
from threeport.common.revisions import RevisionClock
from threeport.events.broker import BrokerSettings
from threeport.events.hub import Hub
from threeport.events.service import EventService
from threeport.events.stream import StreamSettings
from threeport.events.timing import Timing
from threeport.store.changes import Changes
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.records import Bookmark, Key, Listing, Operation, StoredObject, Write, encode_body

RESOURCE = "widgets.example.org"
TIMING = Timing(bookmark=300_000)


class ApiProcess:
    """The part of an API process that makes and passes on events."""

    def __init__(
        self, database: Database, settings: BrokerSettings, clock: RevisionClock, timing: Timing = TIMING
    ) -> None:
        self.clock = clock
        self.events = EventService(
            settings,
            outbox=Outbox(database),
            changes=Changes(database),
            clock=self.clock.read,
            timing=timing,
        )
        self.hub = self.events.hub
        self.store = SqlObjectStore(database, self.clock, on_commit=self.events.committed)

    async def create(self, name: str, *, filling: int = 0) -> StoredObject:
        """Create an object, with a body of about `filling` characters."""
        body = {"metadata": {"name": name}, "spec": {"filling": "x" * filling}}
        write = Write(
            operation=Operation.CREATE, key=Key(RESOURCE, "", name), uid=new_uid(), generation=1, body=encode_body(body)
        )
        return (await self.store.write([write]))[0]

    async def change(self, obj: StoredObject, operation: Operation = Operation.UPDATE) -> StoredObject:
        """Update (or delete) an object."""
        write = Write(
            operation=operation,
            key=obj.key,
            uid=obj.uid,
            generation=obj.generation + 1,
            body=obj.body,
            expected=obj.revision,
        )
        return (await self.store.write([write]))[0]

    async def delete(self, obj: StoredObject) -> StoredObject:
        """Delete an object."""
        return await self.change(obj, Operation.DELETE)


class Watcher:
    """Watches in the background, and keeps what it learns as clients do: by name and by uid."""

    def __init__(self, hub: Hub, since: int | None) -> None:
        self.received: list[StoredObject] = []
        self.bookmarks: list[int] = []
        self.by_name: dict[str, tuple[str, int]] = {}
        self.by_uid: dict[str, int] = {}
        self.arrivals: dict[tuple[str, int], float] = {}
        self.ended: BaseException | None = None
        self._watch = hub.watch(RESOURCE, since=since)
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @property
    def last(self) -> int:
        """The revision that this watcher would resume from."""
        return max(self.bookmarks[-1:] + [self.received[-1].revision] if self.received else self.bookmarks)

    async def until(self, condition: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait for what the watcher is to learn."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def leave(self) -> None:
        """Stop watching."""
        await self._watch.aclose()
        await self._task

    async def _run(self) -> None:
        try:
            async for event in self._watch:
                self._learn(event)
                self._news.set()
            self.ended = StopAsyncIteration()
        except Exception as error:  # it is the test that judges it
            self.ended = error
        self._news.set()

    def _learn(self, event: StoredObject | Bookmark) -> None:
        if isinstance(event, Bookmark):
            self.bookmarks.append(event.revision)
            return
        assert event.revision >= self.by_uid.get(event.uid, 0), "a watch went backwards"
        self.received.append(event)
        self.arrivals.setdefault((event.uid, event.revision), asyncio.get_running_loop().time())
        if event.deleted:
            self.by_name.pop(event.key.name, None)
            self.by_uid.pop(event.uid, None)
        else:
            self.by_name[event.key.name] = (event.uid, event.revision)
            self.by_uid[event.uid] = event.revision


async def state_of(api: ApiProcess) -> dict[str, tuple[str, int]]:
    """What the database holds, as a watcher's `by_name`."""
    page = await api.store.list_page(Listing(RESOURCE))
    return {obj.key.name: (obj.uid, obj.revision) for obj in page.items}


async def eventually(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait for a condition that nothing announces."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def own_nats(tmp_path: Path) -> Iterator[NatsServer]:
    """A broker that the test may kill."""
    server = NatsServer(tmp_path / "nats", port=free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stream() -> StreamSettings:
    """A stream of the test's own."""
    name = f"T{uuid.uuid4().hex[:12]}"
    return StreamSettings(name=name, prefix=name.lower(), max_bytes=64 * 1024 * 1024)


@pytest.fixture
async def start_api(
    database: Database, stream: StreamSettings
) -> AsyncIterator[Callable[[str], Awaitable[ApiProcess]]]:
    """Starts an API process that uses the broker at a URL; stopped after the test."""
    running: list[ApiProcess] = []
    numbers = itertools.count(1)

    async def start(url: str) -> ApiProcess:
        api = ApiProcess(database, BrokerSettings(servers=(url,), stream=stream), RevisionClock(next(numbers)))
        await api.events.open()
        running.append(api)
        await eventually(lambda: api.hub.health().ready)
        return api

    yield start
    for api in running:
        await api.events.close()


StartApi = Callable[[str], Awaitable[ApiProcess]]


@pytest.fixture
async def two_apis(start_api: StartApi, nats_url: str) -> tuple[ApiProcess, ApiProcess]:
    """Two API processes on one database and one broker, both following the stream."""
    first, second = await start_api(nats_url), await start_api(nats_url)
    for api in (first, second):
        await eventually(lambda api=api: api.hub.health().nats == "ok")
    return first, second
