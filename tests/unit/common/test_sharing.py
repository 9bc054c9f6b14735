"""Reads at the same time are shared, and none is older than who asked for it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from weakref import ref

import pytest

from threeport.common.sharing import SharedReads


class Readings:
    """Counts reads, which end when they may."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.go.wait()
        return number


async def test_all_who_ask_before_it_begins_share_a_read_and_who_asks_later_shares_the_next() -> None:
    readings, reads = Readings(), SharedReads[str, int]()
    first = [asyncio.create_task(reads.ask("a", readings)) for _ in range(3)]
    await _until(lambda: readings.begun == 1)
    later = [asyncio.create_task(reads.ask("a", readings)) for _ in range(50)]
    await asyncio.sleep(0)
    readings.go.set()
    assert [await each for each in first] == [1] * 3
    assert [await each for each in later] == [2] * 50
    assert await reads.ask("a", readings) == 3


async def test_reads_of_different_keys_do_not_wait_for_each_other() -> None:
    readings, reads = Readings(), SharedReads[str, int]()
    both = asyncio.gather(reads.ask("a", readings), reads.ask("b", readings))
    await _until(lambda: readings.begun == 2)
    readings.go.set()
    assert await both == [1, 2]


async def test_a_read_waits_for_the_one_before_it_however_long_that_takes() -> None:
    readings, reads = Readings(), SharedReads[str, int]()
    first = asyncio.create_task(reads.ask("a", readings))
    await _until(lambda: readings.begun == 1)
    second = asyncio.create_task(reads.ask("a", readings))
    for _ in range(10):
        await asyncio.sleep(0)
    assert readings.begun == 1
    readings.go.set()
    assert (await first, await second) == (1, 2)


async def test_with_patience_behind_a_read_that_hangs_another_is_begun() -> None:
    readings, reads = Readings(), SharedReads[str, int](patience=0.01)
    hanging = asyncio.create_task(reads.ask("a", readings))
    await _until(lambda: readings.begun == 1)
    other = asyncio.create_task(reads.ask("a", readings))
    await _until(lambda: readings.begun == 2)
    readings.go.set()
    assert (await hanging, await other) == (1, 2)
    assert await reads.ask("a", readings) == 3


async def test_who_leaves_takes_the_read_from_nobody() -> None:
    readings, reads = Readings(), SharedReads[str, int]()
    leaver, other = asyncio.create_task(reads.ask("a", readings)), asyncio.create_task(reads.ask("a", readings))
    await _until(lambda: readings.begun == 1)
    leaver.cancel()
    readings.go.set()
    assert await other == 1


async def test_all_are_told_what_went_wrong_and_the_next_read_is_another() -> None:
    fails = True

    async def read() -> int:
        if fails:
            raise ValueError("bad luck")
        return 1

    reads = SharedReads[str, int]()
    answers = await asyncio.gather(*(reads.ask("a", read) for _ in range(3)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["bad luck"] * 3
    fails = False
    assert await reads.ask("a", read) == 1


class Found:
    """Something whose end can be seen."""


@pytest.mark.parametrize("leaves_early", [False, True])
async def test_nothing_is_kept_of_what_was_read(leaves_early: bool) -> None:
    go, reads = asyncio.Event(), SharedReads[str, Found]()
    seen: list[ref[Found]] = []

    async def read() -> Found:
        await go.wait()
        found = Found()
        seen.append(ref(found))
        return found

    asking = asyncio.create_task(reads.ask("a", read))
    await asyncio.sleep(0)
    if leaves_early:
        asking.cancel()
    go.set()
    await asyncio.wait([asking])
    del asking
    await _until(lambda: bool(seen))

    def is_gone() -> bool:
        gc.collect()
        return seen[0]() is None

    await _until(is_gone)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
