"""Reports come soon after an instance has come to rest, at the latest after a second, and at most once a second."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.reporting.queue import FIRST_RETRY, LONGEST_RETRY, PACE, PATIENCE, QUIET, Queue


class Time:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def queue(time: Time) -> Queue:
    return Queue(time)


def turn_of(queue: Queue, time: Time, *, meanwhile: Callable[[], None] = lambda: None) -> float:
    """Seconds until `web` has its turn; `meanwhile` happens every tenth of one."""
    begun, step = time.now, 0
    while not queue.take(1, but=()):
        step += 1
        time.now = begun + step / 10
        meanwhile()
    return round(time.now - begun, 1)


def test_what_happens_together_is_told_together_when_it_has_come_to_rest(queue: Queue, time: Time) -> None:
    queue.changed("web")
    time.now += 0.1
    queue.changed("web")
    time.now += 0.1
    queue.changed("web")
    assert len(queue) == 1
    assert turn_of(queue, time) == QUIET
    assert len(queue) == 0


def test_what_never_rests_is_told_all_the_same(queue: Queue, time: Time) -> None:
    queue.changed("web")
    assert turn_of(queue, time, meanwhile=lambda: queue.changed("web")) == PATIENCE


def test_after_a_report_news_waits_its_turn_and_patience_begins_anew(queue: Queue, time: Time) -> None:
    queue.changed("web")
    turn_of(queue, time)
    queue.written("web")
    queue.changed("web")
    assert turn_of(queue, time) == PACE
    time.now += 10
    queue.changed("web")
    assert turn_of(queue, time, meanwhile=lambda: queue.changed("web")) == PATIENCE


def test_others_do_not_wait_for_it(queue: Queue, time: Time) -> None:
    queue.written("web")
    queue.changed("web")
    queue.changed("shop")
    time.now += QUIET
    assert queue.take(5, but=()) == ["shop"]
    time.now += PACE
    assert queue.take(5, but={"web"}) == []
    assert queue.wait(but={"web"}) is None
    assert queue.wait(but=()) == 0
    assert queue.take(0, but=()) == []
    assert queue.take(5, but=()) == ["web"]


def test_a_turn_that_was_promised_comes_forward_and_not_back(queue: Queue, time: Time) -> None:
    queue.by("web", time.now + 5)
    queue.by("web", time.now + 9)
    assert queue.wait(but=()) == 5
    queue.by("web", time.now + 2)
    assert queue.wait(but=()) == 2


def test_what_has_failed_waits_longer_each_time_whatever_happens(queue: Queue, time: Time) -> None:
    waited = []
    for _ in range(20):
        waited.append(queue.failed("web"))
        queue.changed("web")
        queue.by("web", time.now)
        assert queue.wait(but=()) == pytest.approx(waited[-1])
        time.now += waited[-1]
        assert queue.take(1, but=()) == ["web"]
    assert FIRST_RETRY / 2 <= waited[0] <= FIRST_RETRY * 2
    assert max(waited) <= LONGEST_RETRY * 1.5
    assert waited[-1] > 10 * waited[0]
    queue.succeeded("web")
    queue.changed("web")
    assert queue.wait(but=()) == pytest.approx(QUIET)


def test_nothing_is_kept_of_what_is_gone(queue: Queue, time: Time) -> None:
    queue.changed("web")
    queue.take(1, but=())
    queue.written("web")
    queue.forget("web")
    assert queue.written_at("web") == float("-inf")
    queue.changed("web")
    assert turn_of(queue, time) == QUIET
