"""Reads at the same time are shared, and none is older than who asked for it."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from threeport.controller.remembering import Remembered
from threeport.controller.sharing import SharedReads


class World:
    """What can be read, which changes; reads take until `finish` is called."""

    def __init__(self) -> None:
        self.value = 0
        self.begun = 0
        self._may_end: list[asyncio.Event] = []

    async def read(self, key: str) -> str:
        self.begun += 1
        found = f"{key}={self.value}"
        self._may_end.append(asyncio.Event())
        await self._may_end[-1].wait()
        return found

    async def finish(self) -> None:
        """Lets the read that is under way end, and whoever waits for it go on."""
        while not self._may_end:
            await asyncio.sleep(0)
        self._may_end.pop().set()
        for _ in range(10):
            await asyncio.sleep(0)


async def test_those_who_ask_during_a_read_share_the_next_one() -> None:
    world = World()
    reads = SharedReads[str, str]()
    first = asyncio.create_task(reads.read("a", partial(world.read, "a")))
    while not world.begun:
        await asyncio.sleep(0)
    world.value = 1
    others = asyncio.gather(*(reads.read("a", partial(world.read, "a")) for _ in range(50)))
    await world.finish()
    await world.finish()
    assert await first == "a=0"
    assert await others == ["a=1"] * 50
    assert world.begun == 2


async def test_reads_of_different_keys_do_not_wait_for_each_other() -> None:
    world = World()
    reads = SharedReads[str, str]()
    both = asyncio.gather(reads.read("a", partial(world.read, "a")), reads.read("b", partial(world.read, "b")))
    while world.begun < 2:
        await asyncio.sleep(0)
    await world.finish()
    await world.finish()
    assert list(await both) == ["a=0", "b=0"]


async def test_who_gives_up_does_not_end_the_read_of_the_others() -> None:
    world = World()
    reads = SharedReads[str, str]()
    first, second = (asyncio.create_task(reads.read("a", partial(world.read, "a"))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await world.finish()
    assert await second == "a=0"


async def test_an_error_reaches_all_and_is_not_kept() -> None:
    fails = True

    async def read() -> str:
        if fails:
            raise ValueError("no")
        return "yes"

    reads = SharedReads[str, str]()
    outcomes = await asyncio.gather(*(reads.read("a", read) for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in outcomes] == ["no"] * 3
    fails = False
    assert await reads.read("a", read) == "yes"


def test_few_objects_are_remembered_those_asked_for_last() -> None:
    known = Remembered(kept=2)
    for name in ("a", "b"):
        known.put(("", name), {"name": name})
    assert known.get(("", "a")) == {"name": "a"}
    known.put(("", "c"), {"name": "c"})
    assert known.get(("", "b")) is None
    assert known.get(("", "a")) is not None
    known.drop(("", "a"))
    assert known.get(("", "a")) is None


@pytest.mark.parametrize("name", [("", "a"), ("n", "a")])
def test_what_was_not_read_is_not_known(name: tuple[str, str]) -> None:
    assert Remembered().get(name) is None
