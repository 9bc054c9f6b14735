"""Whether a report is news."""

from __future__ import annotations

import pytest

from agent.reporting.told import is_mere_repetition, is_news, told_of
from threeport.resources.model import Reference
from threeport.resources.workload import ReportedEvent, WorkloadReportSpec


def report(health: str = "Healthy", *events: tuple[str, int]) -> WorkloadReportSpec:
    return WorkloadReportSpec.model_validate(
        {
            "instanceRef": Reference(name="app", namespace="default"),
            "instanceUid": "i",
            "runtimeRef": Reference(name="runtime"),
            "health": health,
            "events": [ReportedEvent(uid=uid, count=count) for uid, count in events],
        }
    )


def test_the_first_report_is_news_and_the_same_again_is_not() -> None:
    told = told_of(report())
    assert is_news(told, None)
    assert not is_news(told_of(report()), told)


def test_another_health_and_another_event_are_news() -> None:
    told = told_of(report("Healthy", ("e", 1)))
    assert is_news(told_of(report("Down", ("e", 1))), told)
    assert is_news(told_of(report("Healthy", ("e", 2))), told)
    assert is_news(told_of(report("Healthy", ("e", 1), ("f", 1))), told)


@pytest.mark.parametrize(
    ("new", "mere"),
    [
        (report("Healthy", ("e", 2)), True),
        (report("Healthy", ("e", 2), ("f", 1)), False),
        (report("Down", ("e", 2)), False),
    ],
    ids=["more often", "something else", "and worse"],
)
def test_that_something_happens_again_and_again_can_wait(new: WorkloadReportSpec, *, mere: bool) -> None:
    told = told_of(report("Healthy", ("e", 1)))
    assert is_mere_repetition(told_of(new), told) is mere
    assert not is_mere_repetition(told_of(new), None)


def test_events_that_the_cluster_has_forgotten_are_no_news() -> None:
    assert not is_news(told_of(report()), told_of(report("Healthy", ("e", 1))))


def test_a_report_read_back_from_the_api_equals_what_was_written() -> None:
    written = report("Down", ("e", 1))
    read = WorkloadReportSpec.model_validate(written.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert told_of(read) == told_of(written)
