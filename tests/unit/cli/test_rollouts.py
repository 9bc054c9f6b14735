"""What `tptctl rollout` makes of a definition, its revisions and its instances."""

from __future__ import annotations

import pytest

from threeport.cli.errors import CliError
from threeport.cli.rollouts import DEFINITION, Rollout, chosen, is_rolled_out, number_of, state_of
from threeport.common.types import JsonObject


def revision(number: int, manifests: str) -> JsonObject:
    return {"spec": {"revision": number, "manifests": [manifests]}}


def rollout(strategy: str = "Automatic") -> Rollout:
    definition = {"metadata": {"name": "d", "generation": 3}, "spec": {"rollout": {"strategy": strategy}}}
    return Rollout(DEFINITION, definition, definition, [])


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
