"""Kubernetes Events: each once, the newest of an instance, and never more than fit."""

from __future__ import annotations

from typing import Any

from agent.observation.events import NEWEST, Events, reported


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


def test_no_more_are_kept_than_fit() -> None:
    events = Events(lambda uid: None, capacity=3)
    for number in range(10):
        events.seen(event(f"e{number}", at=number))
    assert [one.uid for one in events.newest(["pod"])] == ["e7", "e8", "e9"]


def test_what_the_cluster_forgets_is_forgotten() -> None:
    events = Events(lambda uid: None)
    events.seen(event("a"))
    events.seen(event("b"))
    events.gone(event("a"))
    events.synced({"b"})
    assert [one.uid for one in events.newest(["pod"])] == ["b"]


def test_events_of_the_newer_form_are_understood() -> None:
    newer = event("e", count=0, series={"count": 7, "lastObservedTime": "2026-01-01T01:00:00.000000Z"})
    told = reported({**newer, "lastTimestamp": None, "count": None})
    assert (told.count, told.last_seen, told.object) == (7, "2026-01-01T01:00:00.000000Z", "Pod/web")
