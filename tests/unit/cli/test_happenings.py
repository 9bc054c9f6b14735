"""Events of the API and of clusters as one list."""

from __future__ import annotations

from typing import Any

from threeport.cli.happenings import Happening, Shown, merged, of_event, of_report


def event(uid: str, *, at: str, message: str = "m", count: int = 1) -> dict[str, Any]:
    """An Event of the API."""
    return {
        "metadata": {"uid": uid, "name": uid, "namespace": "team"},
        "involvedObject": {"kind": "Workload", "name": "shop", "namespace": "team"},
        "type": "Normal", "reason": "Healthy", "message": message, "count": count, "lastTimestamp": at,
    }  # fmt: skip


def report(*events: dict[str, Any]) -> dict[str, Any]:
    """What the agent of the runtime `far` tells."""
    return {
        "metadata": {"name": "r", "namespace": "team"},
        "spec": {"runtimeRef": {"name": "far"}, "instanceUid": "u", "events": list(events)},
    }


def test_both_come_in_the_order_of_time() -> None:
    reported = {"uid": "p", "type": "Warning", "reason": "BackOff", "object": "Pod/a", "message": "x",
                "lastSeen": "2026-01-01T00:00:02Z", "count": 3}  # fmt: skip
    seen = merged(
        [
            of_event(event("b", at="2026-01-01T00:00:03Z", message="later")),
            *of_report(report(reported)),
            of_event(event("a", at="2026-01-01T00:00:01.5Z", message="first")),
        ]
    )
    assert [(one.message, one.where) for one in seen] == [("first", ""), ("x", "far"), ("later", "")]
    assert seen[1].row(with_namespace=True)[0] == "team"
    assert seen[1].row(with_namespace=False)[-1] == "x (x3)"


def test_repeats_are_one_line_with_their_number_where_the_last_was() -> None:
    seen = merged(
        [
            of_event(event("a", at="2026-01-01T00:00:01Z", count=2)),
            of_event(event("x", at="2026-01-01T00:00:02Z", message="other")),
            of_event(event("b", at="2026-01-01T00:00:03Z")),
        ]
    )
    assert [(one.message, one.count) for one in seen] == [("other", 1), ("m", 3)]


def test_an_event_is_news_once_and_again_when_it_repeats() -> None:
    first, again = event("a", at="2026-01-01T00:00:01Z"), event("a", at="2026-01-01T00:00:05Z", count=2)
    shown = Shown()
    seen = [bool(shown.news("a", [of_event(one)])) for one in (first, first, again, first, again)]
    assert seen == [True, False, True, False, False]
    assert shown.news("b", [of_event(event("b", at="2026-01-01T00:00:05Z"))])


def test_what_a_report_tells_together_is_no_news_when_it_tells_it_again() -> None:
    def told(*uids: str) -> list[Happening]:
        one = {"type": "Warning", "reason": "BackOff", "object": "Pod/a", "message": "x"}
        events = [{**one, "uid": uid, "lastSeen": f"2026-01-01T00:00:0{uid}Z"} for uid in uids]
        return list(of_report(report(*events)))

    shown = Shown()
    assert [one.count for one in shown.news("report", told("1", "2"))] == [2]
    assert shown.news("report", told("1", "2")) == []
    assert shown.news("report", told("1")) == [], "the later one has ended, the earlier one was part of what was shown"
    assert [one.id for one in shown.news("report", told("1", "3"))] == ["far/3"]


def test_nothing_is_kept_of_what_nobody_tells_any_more() -> None:
    shown = Shown()
    for number in range(100):
        shown.news("report", list(of_report(report({"uid": str(number), "lastSeen": "2026-01-01T00:00:01Z"}))))
        shown.news(str(number), [of_event(event(str(number), at="2026-01-01T00:00:01Z"))])
        shown.forget(str(number))
    assert len(shown) == 1
    shown.news("report", [])
    assert not len(shown)
