"""Who asks for the same at the same time shares one reading, which begins after all of them have asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from weakref import WeakValueDictionary

import pytest

from threeport.store.sharing import Shared


class Readings:
    """Counts readings, which end when they may."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.go.wait()
        return number


async def test_all_who_ask_before_it_begins_share_a_reading_and_who_asks_later_shares_the_next() -> None:
    readings = Readings()
    shared = Shared(readings)
    first = [asyncio.create_task(shared.get()) for _ in range(3)]
    await _until(lambda: readings.begun == 1)
    later = [asyncio.create_task(shared.get()) for _ in range(3)]
    await asyncio.sleep(0)
    readings.go.set()
    assert [await each for each in first] == [1, 1, 1]
    assert [await each for each in later] == [2, 2, 2]
    assert await shared.get() == 3


async def test_behind_a_reading_that_hangs_another_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threeport.store.sharing.PATIENCE", 0.01)
    readings = Readings()
    shared = Shared(readings)
    hanging = asyncio.create_task(shared.get())
    await _until(lambda: readings.begun == 1)
    other = asyncio.create_task(shared.get())
    await _until(lambda: readings.begun == 2)
    readings.go.set()
    assert (await hanging, await other) == (1, 2)


async def test_who_leaves_takes_the_reading_from_nobody() -> None:
    readings = Readings()
    shared = Shared(readings)
    leaver, other = asyncio.create_task(shared.get()), asyncio.create_task(shared.get())
    await _until(lambda: readings.begun == 1)
    leaver.cancel()
    readings.go.set()
    assert await other == 1


async def test_all_are_told_what_went_wrong_and_the_next_reading_is_another() -> None:
    fails = True

    async def read() -> int:
        if fails:
            raise ValueError("bad luck")
        return 1

    shared = Shared(read)
    answers = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]
    fails = False
    assert await shared.get() == 1


async def test_nothing_is_left_of_it_once_nobody_waits_even_when_the_only_one_has_left_early() -> None:
    readings = Readings()
    known: WeakValueDictionary[str, Shared[int]] = WeakValueDictionary()

    async def ask() -> int:
        return await known.setdefault("same", Shared(readings)).get()

    leaver = asyncio.create_task(ask())
    await _until(lambda: readings.begun == 1)
    leaver.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await leaver
    del leaver
    readings.go.set()
    await _until(lambda: not known)
    assert await ask() == 2
    await _until(lambda: not known)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
