"""An instance is Ready when its agent says Healthy of exactly what was applied last."""

from __future__ import annotations

import pytest

from operators.workload.definition import needs_advance
from operators.workload.health import assess, put_verdict
from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition

STATUS: JsonObject = {"appliedHash": "h1", "runtime": "r"}


def report(health: str = "Healthy", **changes: object) -> JsonObject:
    resources = [{"health": "Healthy"}, {"health": health}]
    spec = {"instanceUid": "u", "appliedHash": "h1", "runtimeRef": {"name": "r"}, "health": health}
    return {"spec": {**spec, "resources": resources, "message": "", **changes}}


def test_a_healthy_report_on_what_was_applied_makes_it_ready() -> None:
    verdict = assess(STATUS, "u", report())
    assert (verdict.ready, verdict.health, verdict.ready_resources) == ("True", "Healthy", "2/2")


@pytest.mark.parametrize("change", [{"instanceUid": "other"}, {"appliedHash": "h0"}, {"runtimeRef": {"name": "s"}}])
def test_a_report_on_anything_else_counts_for_nothing(change: JsonObject) -> None:
    verdict = assess(STATUS, "u", report(**change))
    assert (verdict.ready, verdict.health, verdict.reason) == ("False", "Unknown", "AwaitingReport")


def test_no_report_is_awaited() -> None:
    assert assess(STATUS, "u", None).reason == "AwaitingReport"


@pytest.mark.parametrize("health", ["Progressing", "Degraded", "Down", "Unknown"])
def test_what_the_agent_says_is_passed_on(health: str) -> None:
    verdict = assess(STATUS, "u", report(health, message="Pod x: image cannot be pulled"))
    assert (verdict.ready, verdict.reason, verdict.message) == ("False", health, "Pod x: image cannot be pulled")


def test_writing_the_same_verdict_again_changes_nothing() -> None:
    status = dict(STATUS)
    put_verdict(status, assess(status, "u", report()), 3)
    before = {**status, "conditions": [dict(one) for one in status["conditions"]]}
    put_verdict(status, assess(status, "u", report()), 3)
    assert status == before
    assert condition(status, READY) is not None


@pytest.mark.parametrize(
    ("told", "status", "expected"),
    [
        (None, None, False),
        (None, {"definitionGeneration": 2}, False),
        (None, {"definitionGeneration": 1}, True),
        (None, {"inventory": []}, False),
        (None, {"conditions": [{"type": "Ready", "status": "False", "reason": "InvalidPatch"}]}, True),
        (1, {"definitionGeneration": 1}, True),
        (2, {"definitionGeneration": 1}, False),
    ],
)
def test_an_instance_is_told_of_a_generation_that_it_neither_has_nor_knows_of(
    told: int | None, status: JsonObject | None, expected: bool
) -> None:
    instance = {"spec": {"definitionRevision": told}, **({"status": status} if status is not None else {})}
    assert needs_advance(instance, 2) is expected
