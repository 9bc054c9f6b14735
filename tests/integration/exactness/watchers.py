"""Watchers as client-go, kopf and people write them: list, watch, resume at any server, list again when told to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import orjson

from tests.integration.exactness.checker import apply_to_stores
from tests.integration.exactness.connection import COLLECTION, EVERYWHERE, FAILURES, Connection, Reply, now
from tests.integration.exactness.history import Answer, Event, Listing, Seen, Version, version_of
from threeport.common.types import JsonObject

END_OF_STATE: Final = "k8s.io/initial-events-end"
PAUSE: Final = 0.2
"""Seconds after a refusal or a cut, at least."""
COMES_TOO_LATE: Final = 0.1
LONG_AGO: Final = 1
"""A revision that nobody can resume from any more."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How one watcher goes about it."""

    name: str
    selector: str = ""
    labels: frozenset[str] | None = None
    everywhere: bool = False
    """Watches all namespaces, and looks at one."""
    page: int = 0
    """Objects per answer of a list; 0 for all of them."""
    streams: bool = False
    """Has the state sent by the watch, instead of listing."""
    lists_often: float = 0.1
    """How likely it lists again after a cut, instead of resuming."""
    dozes: float = 0.0
    """Seconds that it leaves what has come unread, now and then."""
    leaves: float = 0.0
    """Seconds at most that it is away after a watch, now and then; then it resumes."""


HABITS: Final = (
    Habits("plain"),
    Habits("everywhere", everywhere=True, lists_often=0.0, leaves=100.0),
    Habits("pages", page=4, lists_often=0.3),
    Habits("streams", streams=True, lists_often=0.3),
    Habits("dozes", dozes=2.0),
    Habits("x", "tier=x", frozenset("x")),
    Habits("x-or-y", "tier in (x,y)", frozenset("xy"), page=4, everywhere=True),
    Habits("not-z", "tier!=z", frozenset("xy"), streams=True, dozes=1.0),
)


class Watcher:
    """One client that watches until it is cancelled."""

    def __init__(self, habits: Habits, connection: Connection, namespace: str, seed: str) -> None:
        self.seen = Seen(habits.name, habits.labels)
        self.by_name: dict[str, Version] = {}
        self.by_uid: dict[str, Version] = {}
        self._habits = habits
        self._connection = connection
        self._namespace = namespace
        self._path = EVERYWHERE if habits.everywhere else COLLECTION.format(namespace=namespace)
        self._selection = {"labelSelector": habits.selector} if habits.selector else {}
        self._random = random.Random(f"{seed} {habits.name}")
        self._position: int | None = None
        self.calm = False
        """Whether it has stopped to doze and to pause."""

    def knows(self, objects: list[Version]) -> bool:
        """Whether it believes what the database holds, by name and by uid."""
        truth = {version.uid: version for version in objects if self.seen.selects(version)}
        return self.by_uid == truth and self.by_name == {version.name: version for version in truth.values()}

    async def run(self) -> None:
        """List and watch until cancelled."""
        while True:
            server = self._random.randrange(len(self._connection.urls))
            if self._position is None and not self._habits.streams:
                await self._list(server)
            else:
                await self._watch(server)
            dice = self._random.random()
            if dice < self._habits.lists_often and not self.calm:
                self._position = None
            elif dice > 1 - COMES_TOO_LATE and self._position is not None and not self.calm:
                self._position = LONG_AGO
            longest = self._random.choice((0.0, 0.0, 0.5, self._habits.leaves or 3.0))
            await self._stay_away(PAUSE * self._random.random() + longest * self._random.random())

    async def _stay_away(self, seconds: float) -> None:
        """Wait, but not much longer when all has become calm."""
        back = now() + seconds
        while not self.calm and now() < back:
            await asyncio.sleep(min(PAUSE, max(0.0, back - now())))
        if self.calm:
            await asyncio.sleep(PAUSE)

    async def _list(self, server: int) -> None:
        began, versions = now(), list[Version]()
        query = self._selection | ({"limit": str(self._habits.page)} if self._habits.page else {})
        pages = 0
        while True:
            reply = await self._connection.request(server, "GET", self._path, query=query)
            self._answered(server, "list", reply)
            if reply.code != 200:
                return
            pages += 1
            versions += self._versions(reply.body["items"])
            metadata = reply.body["metadata"]
            if not metadata.get("continue"):
                break
            query["continue"] = metadata["continue"]
            server = self._random.randrange(len(self._connection.urls))
        self._take_list(Listing(began, server, int(metadata["resourceVersion"]), tuple(versions), pages == 1))

    def _take_list(self, listing: Listing) -> None:
        self._note(listing)
        self._position = listing.revision

    async def _watch(self, server: int) -> None:
        seconds = self._random.choice((3, 10, 60))
        query = self._selection | {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        if self._position is None:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        else:
            query["resourceVersion"] = str(self._position)
        began = now()
        try:
            async with self._connection.stream(server, self._path, query) as answer:
                if answer.status != 200:
                    self._answered(server, "watch", Reply(answer.status, orjson.loads(await answer.read())))
                    self._position = None if answer.status == 410 else self._position
                    return
                await self._follow(server, began, _lines(answer.content.iter_any()))
                self._answered(server, "watch", Reply(200, {}))
        except FAILURES as error:
            self._answered(server, "watch", Reply(0, {"message": f"{type(error).__name__} {error}"}))

    async def _follow(self, server: int, began: float, events: AsyncIterator[JsonObject]) -> None:
        """Take events in until the stream ends; the state that comes first, if asked for, counts as a list."""
        state: list[Version] | None = [] if self._position is None else None
        async for event in events:
            obj = event["object"]
            if event["type"] == "ERROR":
                self._answered(server, "watch", Reply(obj["code"], obj))
                self._position = None
                return
            if event["type"] == "BOOKMARK":
                if state is not None and END_OF_STATE in (obj["metadata"].get("annotations") or {}):
                    revision = int(obj["metadata"]["resourceVersion"])
                    self._take_list(Listing(began, server, revision, tuple(state), False))
                    state = None
                self._position = int(obj["metadata"]["resourceVersion"])
            elif state is not None:
                state += self._versions([obj])
            else:
                self._take(server, event["type"], obj)
                await self._doze()

    def _take(self, server: int, kind: str, obj: JsonObject) -> None:
        self._position = int(obj["metadata"]["resourceVersion"])
        for version in self._versions([obj]):
            self._note(Event(now(), server, kind, version))

    def _note(self, entry: Listing | Event) -> None:
        self.seen.entries.append(entry)
        apply_to_stores(self.by_name, self.by_uid, entry)

    def _versions(self, items: list[JsonObject]) -> list[Version]:
        return [version_of(item) for item in items if item["metadata"]["namespace"] == self._namespace]

    def _answered(self, server: int, verb: str, reply: Reply) -> None:
        self.seen.answers.append(Answer(now(), server, verb, reply.code, reply.message))

    async def _doze(self) -> None:
        if self._habits.dozes and not self.calm and self._random.random() < 0.02:
            await asyncio.sleep(self._habits.dozes * self._random.random() * 2)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[JsonObject]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield orjson.loads(line)
