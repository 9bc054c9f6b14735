"""A cluster that is away takes one request at a time, and is heard as soon as it answers."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from threeport.kube.errors import ClusterUnreachable, Rejected
from threeport.kube.outage import Outage


def fail(away: Outage, why: str = "no answer") -> None:
    with pytest.raises(ClusterUnreachable, match=why), away.request():
        raise ClusterUnreachable(why)


def refused(away: Outage) -> bool:
    try:
        with away.request():
            return False
    except ClusterUnreachable:
        return True


def test_after_a_failure_others_are_refused_with_its_words() -> None:
    away = Outage()
    fail(away, "no route")
    with pytest.raises(ClusterUnreachable, match="no route"), away.request():
        pytest.fail("a request was let through")


def test_one_at_a_time_looks_whether_the_cluster_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Outage()
    fail(away)
    monkeypatch.setattr(time, "monotonic", lambda: 1e9)
    with away.request():
        assert refused(away)
    assert not refused(away)


def test_an_error_that_the_cluster_answers_with_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Outage()
    fail(away)
    monkeypatch.setattr(time, "monotonic", lambda: 1e9)
    with pytest.raises(Rejected), away.request():
        raise Rejected("no")
    with ExitStack() as both:
        both.enter_context(away.request())
        assert not refused(away)


def test_a_request_that_fails_while_others_are_answered_is_no_outage() -> None:
    away = Outage()
    with ExitStack() as slow:
        slow.enter_context(pytest.raises(ClusterUnreachable))
        slow.enter_context(away.request())
        with away.request():
            pass
        raise ClusterUnreachable("this one took too long")
    assert not refused(away)
