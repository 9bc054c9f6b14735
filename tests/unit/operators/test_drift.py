"""What an instance wants done about what others changed."""

from __future__ import annotations

import pytest

from operators.workload.drift import describe, interval_of, policy_of, put_drift, under_policy
from operators.workload.inventory import id_of, item_of
from operators.workload.plan import Plan
from threeport.common.types import JsonObject
from threeport.controller.conditions import condition


def manifest(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}}


DRIFTED, NEW = manifest("drifted"), manifest("new")
PLAN = Plan(apply=[DRIFTED, NEW], prune=[], drifted={id_of(item_of(DRIFTED)): ["data.colour"]})


def test_drift_is_put_right_unless_the_policy_says_otherwise() -> None:
    assert list(under_policy(PLAN, "Correct").apply) == [DRIFTED, NEW]
    for policy in ("Warn", "Ignore"):
        assert list(under_policy(PLAN, policy).apply) == [NEW]


def test_a_warning_is_news_once_and_goes_with_the_drift() -> None:
    status: JsonObject = {}
    assert put_drift(status, PLAN, "Warn")
    assert "data.colour" in (condition(status, "Drifted") or {})["message"]
    assert not put_drift(status, PLAN, "Warn")
    assert not put_drift(status, Plan(apply=[], prune=[]), "Warn")
    assert condition(status, "Drifted") is None


def test_who_corrects_or_ignores_needs_no_condition() -> None:
    for policy in ("Correct", "Ignore"):
        status: JsonObject = {}
        assert not put_drift(status, PLAN, policy)
        assert status == {}


def test_a_description_names_objects_and_fields_and_counts_the_rest() -> None:
    assert describe(PLAN) == "ConfigMap n/drifted: data.colour"
    many = Plan(apply=[], prune=[], drifted={id_of(item_of(manifest(str(number)))): () for number in range(7)})
    assert "ConfigMap n/0: was removed" in describe(many)
    assert describe(many).endswith("and 2 more")


@pytest.mark.parametrize(("text", "seconds"), [(None, 300), ("90s", 90), ("5m", 300), ("2h", 7200), ("1s", 10)])
def test_intervals_are_durations_with_a_lower_bound(text: str | None, seconds: float) -> None:
    assert interval_of({"spec": {"driftInterval": text}}) == seconds


def test_the_policy_is_to_correct() -> None:
    assert policy_of({"spec": {}}) == "Correct"
    assert policy_of({"spec": {"driftPolicy": "Ignore"}}) == "Ignore"
