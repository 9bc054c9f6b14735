"""Which reports make a cluster be compared at once."""

from __future__ import annotations

from operators.workload.word_of_agent import PACE, Told, hints_at_drift, told_by
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
    return hints_at_drift(former, told_by(new, former), of, 1000.0)


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


def test_an_autoscaler_does_not_keep_us_looking() -> None:
    asked = FORMER._replace(asked=1000.0 - PACE + 1)
    assert not hints(report(2), instance(), asked)
    assert hints(report(2), instance(), FORMER._replace(asked=1000.0 - PACE))
