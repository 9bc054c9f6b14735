"""What `tptctl rollout` makes of a definition, its revisions and its instances."""

from __future__ import annotations

import pytest

from operators.workload.applying import NotOurs
from threeport.cli.errors import CliError
from threeport.cli.rollouts import (
    DEFINITION,
    FINAL,
    WORKLOAD,
    Rollout,
    chosen,
    former_of,
    is_rolled_out,
    number_of,
    refusals_of,
    state_of,
)
from threeport.common.types import JsonObject
from threeport.kube import errors


def revision(number: int, manifests: str) -> JsonObject:
    return {"spec": {"revision": number, "manifests": [manifests]}}


def rollout(strategy: str = "Automatic") -> Rollout:
    definition = {"metadata": {"name": "d", "generation": 3}, "spec": {"rollout": {"strategy": strategy}}}
    return Rollout(DEFINITION, definition, definition, [])


def refused(obj: JsonObject, reason: str, *, generation: int, observed: int | None = None) -> JsonObject:
    obj["metadata"] = {**obj["metadata"], "generation": generation}
    obj["status"] = {
        **(obj.get("status") or {}),
        "observedGeneration": observed or generation,
        "conditions": [{"type": "Ready", "status": "False", "reason": reason, "message": "spec.x"}],
    }
    return obj


def instance(running: int, *, told: int | None = None, ready: str = "True", observed: int = 1) -> JsonObject:
    conditions = [{"type": "Ready", "status": ready, "reason": "Down", "message": "no pod"}]
    return {
        "metadata": {"name": "eu", "generation": 1},
        "spec": {"definitionRevision": told},
        "status": {"definitionGeneration": running, "observedGeneration": observed, "conditions": conditions},
    }


def test_going_back_means_the_last_revision_that_holds_something_else() -> None:
    kept = [revision(1, "a"), revision(2, "b"), revision(3, "b")]
    assert number_of(chosen(kept, revision(3, "b"), None)) == 1
    assert number_of(chosen(kept, revision(3, "b"), 2)) == 2


def test_what_cannot_be_gone_back_to_is_said_with_what_can() -> None:
    kept = [revision(2, "b"), revision(3, "b")]
    with pytest.raises(CliError, match="kept are: 2, 3"):
        chosen(kept, revision(3, "b"), 1)
    with pytest.raises(CliError, match="nothing to go back to"):
        chosen(kept, revision(3, "b"), None)


def test_an_instance_goes_back_from_the_revision_that_it_was_told_though_it_never_got_there() -> None:
    kept = [revision(1, "a"), revision(2, "b"), revision(3, "c")]
    stuck, there = instance(2, told=3, ready="False"), instance(2, told=2)
    assert number_of(former_of(rollout("Manual"), stuck, kept, None)) == 2
    assert number_of(former_of(rollout("Manual"), there, kept, None)) == 1
    assert number_of(former_of(rollout("Manual"), there, kept, 3)) == 3
    with pytest.raises(CliError, match="no revision before 1 holds other manifests .kept are: 1, 2, 3"):
        former_of(rollout("Manual"), instance(1, told=1), kept, None)


@pytest.mark.parametrize(
    ("one", "strategy", "done"),
    [
        (instance(3), "Automatic", True),
        (instance(2), "Automatic", False),
        (instance(3, observed=0), "Automatic", False),
        (instance(3, ready="False"), "Automatic", False),
        (instance(2), "Manual", True),
        (instance(1, told=2), "Manual", False),
    ],
)
def test_an_instance_is_rolled_out_when_it_runs_what_it_has_to_and_is_ready(
    one: JsonObject, strategy: str, done: bool
) -> None:
    assert is_rolled_out(rollout(strategy), one) is done
    assert state_of(rollout(strategy), one).endswith("ready") is done


def test_an_instance_that_is_not_ready_says_why() -> None:
    assert "runs revision 3 of 3, Down: no pod" in state_of(rollout(), instance(3, ready="False"))


def test_a_refusal_that_only_a_person_can_mend_ends_the_waiting() -> None:
    one = refused(instance(2, told=3), "FieldImmutable", generation=4)
    rolling = Rollout(DEFINITION, rollout().definition, rollout().definition, [one])
    assert refusals_of(rolling) == ["workloadinstance/eu: FieldImmutable: spec.x"]


@pytest.mark.parametrize(
    "one",
    [
        refused(instance(2, told=2), "FieldImmutable", generation=3),
        refused(instance(2, told=3), "FieldImmutable", generation=4, observed=3),
        refused(instance(2, told=3), "QuotaExceeded", generation=4),
        instance(2, told=3, ready="False"),
        instance(3, told=3),
    ],
    ids=["of the revision before", "of the generation before", "may pass", "unhealthy", "ready"],
)
def test_what_is_no_refusal_of_the_newest_revision_is_waited_for(one: JsonObject) -> None:
    assert not refusals_of(Rollout(DEFINITION, rollout().definition, rollout().definition, [one]))


def test_a_workload_that_has_not_passed_its_change_on_yet_is_waited_for_unless_its_name_is_taken() -> None:
    one = refused(instance(3, told=3), "Rejected", generation=4)
    for reason, observed, said in (
        ("Rejected", 1, []),
        ("Rejected", 2, ["workloadinstance/eu: Rejected: spec.x"]),
        ("NameTaken", 2, ["workload/d: NameTaken: spec.x"]),
    ):
        workload = refused({"metadata": {"name": "d"}, "spec": {}}, reason, generation=2, observed=observed)
        assert refusals_of(Rollout(WORKLOAD, workload, rollout().definition, [one])) == said


def test_what_a_cluster_refuses_for_good_is_a_final_refusal_and_what_may_pass_is_none() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.ClusterError)]
    assert {one.reason for one in kinds if not one.temporary} | {NotOurs.reason} <= FINAL
    assert not {one.reason for one in kinds if one.temporary} & FINAL
