"""A cluster that is away is asked one small question at a time; nobody waits long for it, and it is heard at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from threeport.kube import outage
from threeport.kube.errors import ClusterUnreachable, Rejected
from threeport.kube.exchange import TIMEOUT
from threeport.kube.outage import Outage


class World:
    """A cluster that answers, does not, or answers with an error; and an outage that knows of it."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.error: Exception | None = None
        self.asked = 0
        self.away = Outage(self._ask)

    async def _ask(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        await self.answers.wait()

    def fail(self, why: str = "no answer") -> None:
        with pytest.raises(ClusterUnreachable, match=why), self.away.request():
            raise ClusterUnreachable(why)

    async def refused(self) -> bool:
        try:
            await self.away.admit()
        except ClusterUnreachable:
            return True
        return False


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the pause between two questions pass."""
    return lambda: monkeypatch.setattr(outage, "PAUSE", 0.0)


async def test_after_a_failure_others_are_refused_with_its_words_and_at_once() -> None:
    world = World()
    world.fail("no route")
    with pytest.raises(ClusterUnreachable, match="no route"):
        await world.away.admit()
    assert world.asked == 0


async def test_one_question_at_a_time_holds_nobody_longer_than_a_moment(
    later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "HOLD", 0.05)
    later()
    world = World()
    world.fail()
    begun = time.monotonic()
    assert await asyncio.gather(*(world.refused() for _ in range(20))) == [True] * 20
    assert time.monotonic() - begun < outage.PATIENCE / 2
    assert world.asked == 1
    world.answers.set()
    assert not await world.refused()


async def test_all_that_wait_go_on_when_the_question_is_answered(later: Callable[[], None]) -> None:
    later()
    world = World()
    world.fail()
    waiting = asyncio.gather(*(world.refused() for _ in range(20)))
    await asyncio.sleep(0)
    world.answers.set()
    assert await waiting == [False] * 20
    assert world.asked == 1


async def test_a_question_without_an_answer_ends_and_is_asked_again(
    later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "PATIENCE", 0.01)
    later()
    world = World()
    world.fail()
    assert await world.refused()
    assert await world.refused()
    assert world.asked == 2
    world.answers.set()
    assert not await world.refused()


async def test_a_question_that_fails_leaves_the_words_of_its_failure(later: Callable[[], None]) -> None:
    later()
    world = World()
    world.fail("no answer")
    world.error = ClusterUnreachable("no route")
    with pytest.raises(ClusterUnreachable, match="no route"):
        await world.away.admit()


async def test_an_error_that_the_cluster_answers_with_is_an_answer(later: Callable[[], None]) -> None:
    later()
    world = World()
    world.fail()
    world.error = Rejected("no")
    assert not await world.refused()


async def test_a_request_that_fails_while_others_are_answered_is_no_outage() -> None:
    world = World()
    with ExitStack() as slow:
        slow.enter_context(pytest.raises(ClusterUnreachable))
        slow.enter_context(world.away.request())
        with world.away.request():
            pass
        raise ClusterUnreachable("this one took too long")
    assert not await world.refused()


def test_a_cluster_that_is_slow_is_back_as_soon_as_a_request_would_be_answered() -> None:
    assert TIMEOUT.sock_read is not None
    assert TIMEOUT.sock_read <= outage.PATIENCE
