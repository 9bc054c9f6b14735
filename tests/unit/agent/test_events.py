"""Kubernetes Events: each once, the newest of an instance, and never more than fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from agent.observation.events import NEWEST, Events, reported
from agent.watcher import EVENTS_QUERY
from threeport.client.transport import SILENCE


def event(uid: str, *, about: str = "pod", count: int = 1, at: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"uid": uid, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "involvedObject": {"uid": about, "kind": "Pod", "name": "web"},
        "count": count,
        "lastTimestamp": f"2026-01-01T00:00:{at:02}Z",
        "reason": "BackOff",
        **more,
    }


def test_a_repeated_event_is_counted_and_the_same_one_is_no_change() -> None:
    changes: list[str] = []
    events = Events(changes.append)
    for count in (1, 1, 2):
        events.seen(event("e", count=count))
    assert changes == ["pod", "pod"]
    assert [(one.uid, one.count) for one in events.newest(["pod"])] == [("e", 2)]


def test_the_newest_are_told_oldest_first() -> None:
    events = Events(lambda uid: None)
    for number in range(NEWEST + 5):
        events.seen(event(f"e{number}", at=number, about=f"pod-{number % 2}"))
    newest = events.newest(["pod-0", "pod-1", "unknown"])
    assert [one.uid for one in newest] == [f"e{number}" for number in range(5, NEWEST + 5)]


@pytest.mark.parametrize("order", [range(10), range(9, -1, -1)], ids=["as they happened", "as a list has them"])
def test_no_more_are_kept_than_fit_and_the_newest_stay_in_whatever_order_they_come(order: Iterable[int]) -> None:
    events = Events(lambda uid: None, capacity=3)
    for number in order:
        events.seen(event(f"e{number}", at=number))
    assert [one.uid for one in events.newest(["pod"])] == ["e7", "e8", "e9"]


def test_what_others_do_in_the_cluster_does_not_drive_out_what_is_ours() -> None:
    events = Events(lambda uid: None, is_ours=lambda uid: uid == "pod", capacity=3)
    events.seen(event("ours"))
    for number in range(50):
        events.seen(event(f"e{number}", about="stranger", at=10 + number))
    assert [one.uid for one in events.newest(["pod"])] == ["ours"]


def test_they_are_awaited_until_a_list_is_complete_or_cannot_be() -> None:
    known: list[str] = []
    listed, denied = (Events(lambda uid: None, on_known=lambda: known.append("known")) for _ in range(2))
    listed.listing()
    listed.seen(event("a"))
    assert listed.awaited
    listed.synced()
    denied.go_without()
    assert not listed.awaited
    assert not denied.awaited
    for events in (listed, denied):
        events.listing()
        events.synced()
    assert known == ["known", "known"], "once for each"


def test_what_the_cluster_forgets_is_forgotten() -> None:
    events = Events(lambda uid: None)
    events.seen(event("a"))
    events.seen(event("b"))
    events.gone(event("a"))
    events.seen(event("c"))
    events.listing()
    events.seen(event("b"))
    events.synced()
    assert [one.uid for one in events.newest(["pod"])] == ["b"]


def test_events_of_the_newer_form_are_understood() -> None:
    newer = event("e", count=0, series={"count": 7, "lastObservedTime": "2026-01-01T01:00:00.000000Z"})
    told = reported({**newer, "lastTimestamp": None, "count": None})
    assert (told.count, told.last_seen, told.object) == (7, "2026-01-01T01:00:00.000000Z", "Pod/web")


def test_a_watch_of_events_ends_before_its_silence_counts_as_a_broken_connection() -> None:
    assert 0 < int(EVENTS_QUERY["timeoutSeconds"]) < SILENCE
