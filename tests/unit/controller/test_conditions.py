"""Conditions change only when what they say does."""

from __future__ import annotations

from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition, drop_condition, is_ready, set_condition


def test_the_time_of_transition_moves_with_the_value_only() -> None:
    status: JsonObject = {}
    set_condition(status, READY, "False", reason="Waiting", message="a")
    status["conditions"][0]["lastTransitionTime"] = "2020-01-01T00:00:00Z"
    set_condition(status, READY, "False", reason="Other", message="b")
    ready = condition(status, READY)
    assert ready is not None
    assert (ready["lastTransitionTime"], ready["reason"]) == ("2020-01-01T00:00:00Z", "Other")
    set_condition(status, READY, "True", reason="Healthy")
    ready = condition(status, READY)
    assert ready is not None
    assert ready["lastTransitionTime"] > "2020-01-01T00:00:00Z"


def test_saying_the_same_again_changes_nothing() -> None:
    status: JsonObject = {}
    set_condition(status, READY, "True", reason="Healthy", message="m", generation=3)
    before = list(status["conditions"])
    set_condition(status, READY, "True", reason="Healthy", message="m", generation=3)
    assert status["conditions"] == before


def test_other_conditions_stay() -> None:
    status: JsonObject = {"conditions": [{"type": "Reachable", "status": "True"}]}
    set_condition(status, READY, "True", reason="x")
    assert [one["type"] for one in status["conditions"]] == ["Reachable", "Ready"]
    drop_condition(status, "Reachable")
    assert [one["type"] for one in status["conditions"]] == ["Ready"]


def test_ready_holds_for_one_generation_and_never_while_deleting() -> None:
    status: JsonObject = {"observedGeneration": 2}
    set_condition(status, READY, "True", reason="x")
    assert is_ready({"metadata": {"generation": 2}, "status": status})
    assert not is_ready({"metadata": {"generation": 3}, "status": status})
    assert not is_ready({"metadata": {"generation": 2, "deletionTimestamp": "now"}, "status": status})
    assert not is_ready({"metadata": {"generation": 2}})
