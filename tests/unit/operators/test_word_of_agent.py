"""Which reports make a cluster be compared at once."""

from __future__ import annotations

import pytest

from operators.workload.word_of_agent import PACE, Told, hints_at_drift, is_lost, told_by
from threeport.common.types import JsonObject


def report(generation: int | None = 1, *, applied_hash: str = "h", missing: bool = False) -> JsonObject:
    part = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "n", "name": "web", "health": "Healthy"}
    if missing:
        part |= {"health": "Down", "message": "missing"}
    return {"spec": {"appliedHash": applied_hash, "resources": [{**part, "generation": generation}]}}


def instance(policy: str = "Correct", *, generation: int = 1, applied_hash: str = "h") -> JsonObject:
    status = {"observedGeneration": 1, "appliedHash": applied_hash}
    return {"metadata": {"generation": generation}, "spec": {"driftPolicy": policy}, "status": status}


FORMER = told_by(report(), None)


def hints(new: JsonObject, of: JsonObject, former: Told | None = FORMER) -> bool:
    return hints_at_drift(former, told_by(new, former), of)


def test_a_part_that_changes_or_goes_after_it_had_settled_is_a_hint() -> None:
    assert hints(report(2), instance())
    assert hints(report(missing=True), instance())
    assert not hints(report(), instance())


def test_what_we_do_ourselves_is_none() -> None:
    assert not hints(report(2, applied_hash="new"), instance())
    assert not hints(report(2), instance(generation=2))
    assert not hints(report(2), instance(applied_hash="new"))
    assert not hints(report(1), instance(), told_by(report(missing=True), None))
    assert not hints(report(2), instance(), None)


def test_that_the_agent_sees_a_part_for_the_first_time_is_none() -> None:
    assert not hints(report(1), instance(), told_by(report(None), None))
    assert not hints(report(None), instance())


def test_who_ignores_drift_is_not_asked() -> None:
    assert not hints(report(2), instance("Ignore"))
    assert hints(report(2), instance("Warn"))


def test_an_autoscaler_does_not_keep_us_looking_and_the_last_of_its_changes_is_looked_at_when_the_pause_is_over() -> (
    None
):
    told, pause = FORMER.asking(1000.0)
    assert pause == 0
    told, pause = told.asking(1010.0)
    assert pause == PACE - 10
    told, pause = told.asking(1020.0)
    assert pause is None
    told, pause = told.asking(1000.0 + 2 * PACE)
    assert pause == 0


@pytest.mark.parametrize(
    ("status", "deleting", "expected"),
    [
        ({"runtime": "here", "appliedHash": "h"}, False, True),
        ({"runtime": "here", "appliedHash": "h"}, True, False),
        ({"runtime": "here", "appliedHash": None}, False, False),
        ({"runtime": "elsewhere", "appliedHash": "h"}, False, False),
        ({}, False, False),
    ],
)
def test_that_an_agent_has_lost_what_is_to_be_there_makes_us_look(
    status: JsonObject, deleting: bool, expected: bool
) -> None:
    of: JsonObject = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleting else {}, "status": status}
    assert is_lost({"spec": {"runtimeRef": {"name": "here"}}}, of) is expected
