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


async def test_the_rest_of_a_replay_is_read_when_its_page_has_been_taken(event: MakeEvent) -> None:
    source, asked = Source(), list[str]()

    async def rest() -> WatchQueue:
        asked.append("rest")
        return source.queue

    async def begin() -> WatchQueue:
        return page

    page = WatchQueue("things", [event("a", "1", 5), event("b", "2", 6)], limit=0, rest=rest)
    source.queue.push(event("c", "3", 7))
    watch = Watch(begin, source.detach)
    assert [await anext(watch) for _ in range(2)] == [event("a", "1", 5), event("b", "2", 6)]
    assert (watch.pop(), asked) == (None, [])
    assert await anext(watch) == event("c", "3", 7)
    assert source.detached == [page]


async def test_a_replay_that_is_cut_while_its_rest_is_read_ends(event: MakeEvent) -> None:
    source = Source()

    async def rest() -> WatchQueue:
        page.cut()
        return source.queue

    async def begin() -> WatchQueue:
        return page

    page = WatchQueue("things", [event("a", "1", 5)], limit=0, rest=rest)
    source.queue.push(event("c", "3", 7))
    assert [item async for item in Watch(begin, source.detach)] == [event("a", "1", 5)]
    assert source.queue in source.detached


async def test_a_closed_watch_does_not_open() -> None:
    source = Source()
    watch = source.watch()
    await watch.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(watch)
    assert source.detached == []
