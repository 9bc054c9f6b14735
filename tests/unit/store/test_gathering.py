"""What is asked for at the same time goes together, and each asker gets an answer of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from threeport.store.database import OutcomeUnknown
from threeport.store.gathering import LANES, MOST, Gathering
from threeport.store.records import RowLocked, StoreUnavailable

UNLUCKY = -13


class Runs:
    """Notes what is run together; doubles numbers."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.go.wait()
        if UNLUCKY in items:
            raise ValueError("bad luck")
        return [2 * item for item in items]


async def test_each_gets_its_own_answer() -> None:
    runs = Runs()
    gathering = Gathering(runs)
    answers = await asyncio.gather(*(gathering.ask(number) for number in range(3 * MOST)))
    assert answers == [2 * number for number in range(3 * MOST)]
    assert max(map(len, runs.batches)) == MOST
    assert len(runs.batches) == 3


async def test_what_comes_while_a_statement_is_under_way_goes_out_together_with_the_next() -> None:
    runs = Runs()
    runs.go.clear()
    gathering = Gathering(runs)
    first = asyncio.create_task(gathering.ask(1))
    await _until(lambda: runs.batches == [[1]])
    others = [asyncio.create_task(gathering.ask(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    runs.go.set()
    assert [await each for each in (first, *others)] == [2, 4, 6]
    assert runs.batches == [[1], [2, 3]]


async def test_behind_a_statement_that_hangs_others_are_begun_but_not_without_end() -> None:
    runs = Runs()
    runs.go.clear()
    gathering = Gathering(runs)
    tasks = []
    for number in range(LANES):
        tasks.append(asyncio.create_task(gathering.ask(number)))
        await _until(lambda wanted=number + 1: len(runs.batches) == wanted)
    tasks += [asyncio.create_task(gathering.ask(number)) for number in (100, 101)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await _until(lambda: len(runs.batches) > LANES)
    runs.go.set()
    await asyncio.gather(*tasks)
    assert runs.batches[LANES:] == [[100, 101]]


async def test_items_that_must_be_kept_apart_are_but_none_is_left_behind() -> None:
    runs = Runs()
    gathering = Gathering(runs, apart=lambda number: number % 2)
    assert await asyncio.gather(*(gathering.ask(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert runs.batches == [[0, 1], [2, 3], [4]]


async def test_items_that_must_be_kept_apart_do_not_wait_for_each_other_in_the_way_of_all_others() -> None:
    hanging = asyncio.Event()
    begun: list[int] = []

    async def run(items: Sequence[int]) -> list[int]:
        begun.extend(items)
        if 0 in items:
            await hanging.wait()
        return list(items)

    gathering = Gathering(run, apart=lambda number: number)
    same = [asyncio.create_task(gathering.ask(0)) for _ in range(2 * LANES)]
    await _until(lambda: begun == [0])
    async with asyncio.timeout(5):
        assert await gathering.ask(1) == 1
    assert begun.count(0) == 1
    hanging.set()
    assert await asyncio.gather(*same) == [0] * len(same)


async def test_one_that_is_to_blame_for_an_error_gets_it_alone() -> None:
    gathering = Gathering(Runs())
    answers = await asyncio.gather(*(gathering.ask(number) for number in (12, UNLUCKY, 14)), return_exceptions=True)
    assert (answers[0], answers[2]) == (24, 28)
    assert isinstance(answers[1], ValueError)


@pytest.mark.parametrize("error", [StoreUnavailable, OutcomeUnknown])
async def test_when_the_database_is_away_all_are_told_and_nothing_is_repeated(error: type[StoreUnavailable]) -> None:
    calls = 0

    async def run(items: Sequence[int]) -> list[int]:
        nonlocal calls
        calls += 1
        raise error("away")

    gathering = Gathering(run)
    answers = await asyncio.gather(*(gathering.ask(number) for number in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [error] * 3
    assert len({id(answer) for answer in answers}) == 3
    assert calls == 1


async def test_only_what_others_hold_up_waits_for_them() -> None:
    released, patient = asyncio.Event(), list[list[int]]()

    async def run(items: Sequence[int]) -> list[int]:
        if UNLUCKY in items:
            raise RowLocked("others hold it")
        return list(items)

    async def wait(items: Sequence[int]) -> list[int]:
        patient.append(list(items))
        await released.wait()
        return list(items)

    gathering = Gathering(run, apart=lambda number: number, patiently=wait)
    held, again = (asyncio.create_task(gathering.ask(UNLUCKY)) for _ in range(2))
    assert [*await asyncio.gather(gathering.ask(12), gathering.ask(14))] == [12, 14]
    assert [*await asyncio.gather(gathering.ask(12), gathering.ask(14))] == [12, 14], "their places are free"
    assert patient == [[UNLUCKY]]
    released.set()
    assert [*await asyncio.gather(held, again)] == [UNLUCKY, UNLUCKY]


async def test_what_others_hold_up_beyond_all_patience_is_told_so() -> None:
    async def run(items: Sequence[int]) -> list[int]:
        if UNLUCKY in items:
            raise RowLocked("others hold it")
        return list(items)

    gathering = Gathering(run)
    answers = await asyncio.gather(*(gathering.ask(number) for number in (12, UNLUCKY, 14)), return_exceptions=True)
    assert (answers[0], answers[2]) == (12, 14)
    assert isinstance(answers[1], RowLocked)


async def test_who_has_left_is_not_run_any_more() -> None:
    runs = Runs()
    runs.go.clear()
    gathering = Gathering(runs)
    first = asyncio.create_task(gathering.ask(1))
    await _until(lambda: runs.batches == [[1]])
    leaver, other = asyncio.create_task(gathering.ask(2)), asyncio.create_task(gathering.ask(3))
    await asyncio.sleep(0)
    leaver.cancel()
    runs.go.set()
    assert (await first, await other) == (2, 6)
    assert runs.batches == [[1], [3]]


async def _until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
