"""A clock that is set while it is being compared must not make a hub skip what happens next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from tests.fixtures.objects import RESOURCE, creation, key_of
from threeport.common.revisions import SECOND, RevisionClock, system_micros
from threeport.events.hub import Hub
from threeport.store.changes import Changes
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.records import StoredObject


class Machine:
    """A machine whose clock is set forward while the database is asked for the time, and set right afterwards."""

    def __init__(self) -> None:
        self.ahead = 0
        self.step = 0

    def clock(self) -> int:
        """Microseconds since the epoch, as this machine believes."""
        return system_micros() + self.ahead


class SteppingChanges(Changes):
    """The change log of a process on such a machine."""

    def __init__(self, database: Database, machine: Machine) -> None:
        super().__init__(database)
        self._machine = machine

    async def clock(self) -> int:
        micros = await super().clock()
        self._machine.ahead, self._machine.step = self._machine.step, 0
        return micros


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def hub(database: Database, machine: Machine) -> AsyncIterator[Hub]:
    """A hub without a stream, so that all it knows comes from the database."""
    hub = Hub(None, SteppingChanges(database, machine), RevisionClock(7, now=machine.clock).read)
    await hub.open()
    yield hub
    await hub.close()


async def test_a_clock_set_forward_during_its_comparison_hides_no_change_from_later_watches(
    database: Database, machine: Machine, hub: Hub
) -> None:
    store = SqlObjectStore(database, RevisionClock(1), on_commit=lambda stored: None)
    (first,) = await store.write([creation(key_of("before"))])
    machine.step = 30 * SECOND
    assert await names_from(hub, first.revision, until="before") == ["before"]
    (second,) = await store.write([creation(key_of("after"))])
    assert await names_from(hub, second.revision, until="after") == ["before", "after"]


async def names_from(hub: Hub, since: int, *, until: str) -> list[str]:
    """What a watch is told of, up to one name."""
    seen: list[str] = []
    async with asyncio.timeout(8), aclosing(hub.watch(RESOURCE, since=since)) as watch:
        async for event in watch:
            assert isinstance(event, StoredObject)
            seen.append(event.key.name)
            if event.key.name == until:
                break
    return seen
