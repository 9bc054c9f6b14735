"""Whether a report is news."""

from __future__ import annotations

import pytest

from agent.reporting.told import DETAILS, REPETITIONS, is_news, patience_with, told_of
from threeport.resources.model import Reference
from threeport.resources.workload import ReportedEvent, ResourceReport, WorkloadReportSpec


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


def resource(name: str) -> ResourceReport:
    return ResourceReport(api_version="v1", kind="Pod", name=name, health="Healthy", message="")


@pytest.mark.parametrize(
    ("new", "patience"),
    [
        (report("Healthy", ("e", 2)), REPETITIONS),
        (report("Healthy", ("e", 2), ("f", 1)), DETAILS),
        (report("Healthy", ("e", 1)).model_copy(update={"resources": [resource("web-0")]}), DETAILS),
        (report("Down", ("e", 2)), 0),
        (report("Healthy", ("e", 1)).model_copy(update={"applied_hash": "another"}), 0),
        (report("Healthy", ("e", 1)).model_copy(update={"instance_generation": 2}), 0),
    ],
    ids=["more often", "something else", "another part", "and worse", "of other manifests", "of another generation"],
)
def test_what_an_instance_is_now_is_told_at_once_and_what_is_new_besides_can_wait(
    new: WorkloadReportSpec, patience: float
) -> None:
    told = told_of(report("Healthy", ("e", 1)))
    assert patience_with(told_of(new), told) == patience
    assert patience_with(told_of(new), None) == 0


def test_events_that_the_cluster_has_forgotten_are_no_news() -> None:
    assert not is_news(told_of(report()), told_of(report("Healthy", ("e", 1))))


def test_a_report_read_back_from_the_api_equals_what_was_written() -> None:
    written = report("Down", ("e", 1))
    read = WorkloadReportSpec.model_validate(written.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert told_of(read) == told_of(written)
