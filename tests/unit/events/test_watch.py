"""The iterator that a watcher is given."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.events.conftest import MakeEvent
from threeport.events.watch import Watch, WatchQueue


class Source:
    """Opens queues that the test fills."""

    def __init__(self) -> None:
        self.queue = WatchQueue("things", (), limit=10)
        self.detached: list[WatchQueue] = []

    async def begin(self) -> WatchQueue:
        return self.queue

    def watch(self) -> Watch:
        return Watch(self.begin, self.detach)

    def detach(self, queue: WatchQueue) -> None:
        queue.open = False
        self.detached.append(queue)


async def test_waiting_for_an_item_may_be_cancelled_and_done_again(event: MakeEvent) -> None:
    source = Source()
    watch = source.watch()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(watch), 0.01)
    source.queue.push(event("a", "1", 5))
    assert await anext(watch) == event("a", "1", 5)
    assert source.detached == []


async def test_a_cut_watch_ends(event: MakeEvent) -> None:
    source = Source()
    watch = source.watch()
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(0)
    source.queue.push(event("a", "1", 5))
    source.queue.cut()
    with pytest.raises(StopAsyncIteration):
        await waiting
    assert source.detached == [source.queue]


async def test_closing_wakes_who_waits() -> None:
    source = Source()
    watch = source.watch()
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(0)
    await watch.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting
    assert source.detached


async def test_a_closed_watch_does_not_open() -> None:
    source = Source()
    watch = source.watch()
    await watch.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(watch)
    assert source.detached == []
