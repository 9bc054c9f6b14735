"""The answer of a preview is counted, kept within bounds, and says what was left out."""

from __future__ import annotations

from typing import Any

from operators.workload.preview_text import (
    CHANGES_LIMIT,
    MOST_RESOURCES,
    VALUE_LIMIT,
    bounded,
    summary_of,
    with_nameless_namespace,
)
from operators.workload.redaction import Redaction
from threeport.common.types import JsonObject


def resource(action: str, **more: Any) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "action": action, **more}


def test_acts_are_counted() -> None:
    resources = [resource("Create"), resource("Change"), resource("Change", error="no"), resource("Unchanged")]
    assert summary_of(resources) == "1 to create, 2 to change; 1 unchanged; 1 would be refused"
    assert summary_of([resource("Unchanged")]) == "nothing to do; 1 unchanged"


def test_a_long_value_is_cut_and_says_how_long_it_was() -> None:
    text = "x" * (VALUE_LIMIT + 1)
    ((shown,), left_out) = bounded([resource("Change", changes=[{"path": "a", "old": text, "new": 1}])])
    assert shown["changes"][0]["old"].endswith(f"... ({VALUE_LIMIT + 1} characters)")
    assert shown["changes"][0]["new"] == 1
    assert left_out is None


def test_what_is_too_much_is_left_out_and_said() -> None:
    change = {"path": "a", "new": "x" * VALUE_LIMIT}
    many = [resource("Change", changes=[change] * 10) for _ in range(CHANGES_LIMIT // VALUE_LIMIT // 10 + 3)]
    shown, left_out = bounded([*many, *(resource("Unchanged") for _ in range(MOST_RESOURCES))])
    assert len(shown) == MOST_RESOURCES
    assert left_out is not None
    assert "changed fields of" in left_out
    assert f"{len(many)} objects" in left_out
    assert all(one["action"] for one in shown)


def test_what_would_happen_is_told_before_what_stays_as_it_is() -> None:
    calm = [resource("Unchanged", number=number) for number in range(MOST_RESOURCES)]
    shown, left_out = bounded([*calm, resource("Prune"), resource("Unchanged", message="drifted")])
    assert [one["action"] for one in shown[-2:]] == ["Prune", "Unchanged"]
    assert shown[-1]["message"] == "drifted"
    assert [one["number"] for one in shown[:-2]] == list(range(MOST_RESOURCES - 2))
    assert left_out == f"Left out: 2 objects, as a preview holds {MOST_RESOURCES}."


def test_the_namespace_of_a_new_instance_has_no_suffix_yet() -> None:
    namespace = "shop-12345678"
    shown = with_nameless_namespace(
        [resource("Create", namespace=namespace), {**resource("Create"), "kind": "Namespace", "name": namespace}],
        namespace,
    )
    assert shown[0]["namespace"] == shown[1]["name"] == "shop-<suffix>"


def test_values_of_secrets_are_told_apart_within_one_preview_only() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "x", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "canary"}},
        "data": {"a": "canary", "b": "canary", "c": "other"},
    }
    redaction = Redaction()
    shown = redaction.of(secret)
    assert "canary" not in str(shown)
    assert shown["data"]["a"] == shown["data"]["b"] != shown["data"]["c"]
    assert Redaction().of(secret)["data"]["a"] != shown["data"]["a"]
    assert redaction.of({**secret, "kind": "ConfigMap"})["data"]["a"] == "canary"
