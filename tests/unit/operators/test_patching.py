"""How one instance differs from its definition."""

from __future__ import annotations

from typing import Any

import pytest

from operators.workload.patching import patched
from threeport.common.errors import Invalid
from threeport.common.types import JsonObject
from threeport.controller.cycle import Refused
from threeport.resources import load_catalog
from threeport.resources.validation import validate


def deployment(name: str = "web") -> JsonObject:
    containers = [{"name": "web", "image": "nginx:1"}, {"name": "log", "image": "fluentd:1"}]
    spec = {"replicas": 1, "template": {"spec": {"containers": containers}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


WIDGET: JsonObject = {
    "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"},
    "spec": {"containers": [{"name": "a"}]},
}  # fmt: skip


def on(kind: str, name: str | None = None, **change: Any) -> JsonObject:
    target = {"kind": kind, **({"name": name} if name else {})}
    return {"target": target, **change}


def image(text: str) -> JsonObject:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": text}]}}}}


def test_containers_merge_by_name_and_the_manifests_of_the_definition_stay_as_they_are() -> None:
    original = deployment()
    (made,) = patched([original], [on("Deployment", patch=image("nginx:2"))])
    found = made["spec"]["template"]["spec"]["containers"]
    assert [(one["name"], one["image"]) for one in found] == [("web", "nginx:2"), ("log", "fluentd:1")]
    assert original == deployment()


def test_only_the_named_manifest_is_changed_and_patches_build_on_each_other() -> None:
    patches = [
        on("Deployment", "b", patch={"spec": {"replicas": 2}}),
        on("Deployment", "b", jsonPatch=[{"op": "test", "path": "/spec/replicas", "value": 2},
                                         {"op": "replace", "path": "/spec/replicas", "value": 5}]),
    ]  # fmt: skip
    made = patched([deployment("a"), deployment("b")], patches)
    assert [one["spec"]["replicas"] for one in made] == [1, 5]


def test_lists_of_kinds_that_are_not_of_kubernetes_are_replaced() -> None:
    (made,) = patched([WIDGET], [on("Widget", patch={"spec": {"containers": [{"name": "b"}]}})])
    assert made["spec"]["containers"] == [{"name": "b"}]


def test_without_patches_nothing_changes() -> None:
    assert patched([deployment(), WIDGET], []) == [deployment(), WIDGET]


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (on("Service", patch={}), "the definition has no Service"),
        (on("Deployment", "other", patch={}), "the definition has no Deployment other"),
        (on("Deployment", jsonPatch=[{"op": "remove", "path": "/spec/nothing"}]), "does not fit Deployment web"),
        (on("Deployment", jsonPatch=[{"op": "dance", "path": "/spec"}]), "does not fit Deployment web"),
        (
            on("Deployment", jsonPatch=[{"op": "test", "path": "/spec/replicas", "value": 9}]),
            "a test of it does not hold",
        ),
        (on("Deployment", patch={"spec": {"$patch": "dance"}}), "does not fit"),
        (on("Deployment", patch={"metadata": {"name": "else"}}), "makes another object"),
        (on("Deployment", patch={"kind": "StatefulSet"}), "makes another object"),
        (on("Deployment", patch={"metadata": None}), "makes another object"),
        (on("Deployment", patch={"metadata": {"labels": {"a": 1}}}), "no Kubernetes object"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_number_of_the_patch(patch: JsonObject, words: str) -> None:
    with pytest.raises(Refused) as refused:
        patched([deployment()], [on("Deployment", patch={}), patch])
    assert refused.value.reason == "InvalidPatch"
    assert words in refused.value.message
    assert "spec.patches" in refused.value.message


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (on("Secret", patch={"data": {}}), "Secret cannot be patched"),
        (on("Deployment"), "either patch or jsonPatch"),
        (on("Deployment", patch={}, jsonPatch=[{"op": "remove", "path": "/x"}]), "either patch or jsonPatch"),
        (on("Deployment", jsonPatch=[{"op": "dance", "path": "/x"}]), r"operation 0 of jsonPatch: op is 'dance'"),
        (on("Deployment", jsonPatch=[{"op": "remove", "path": "x"}]), "path is 'x'; expected a pointer"),
        (on("Deployment", jsonPatch=[{"op": "move", "path": "/x"}]), "from is None; expected a pointer"),
        (on("Deployment", jsonPatch=[{"op": "add", "path": "/x"}]), "add needs a value"),
    ],
)
def test_the_api_refuses_patches_that_say_too_little_or_too_much(patch: JsonObject, words: str) -> None:
    kind = load_catalog().by_resource("workloadinstances.threeport.io")
    assert kind is not None
    body = {
        "apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "x"},
        "spec": {"definitionRef": {"name": "d"}, "patches": [patch]},
    }  # fmt: skip
    with pytest.raises(Invalid, match=words) as refused:
        validate(kind, body, "Strict")
    assert "Value error" not in str(refused.value)


def test_a_null_in_a_patch_survives_validation_and_removes() -> None:
    kind = load_catalog().by_resource("workloadinstances.threeport.io")
    assert kind is not None
    body: JsonObject = {
        "apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "x"},
        "spec": {
            "definitionRef": {"name": "d"}, "patches": [on("Deployment", patch={"spec": {"replicas": None}})],
        },
    }  # fmt: skip
    stored, _ = validate(kind, body, "Strict")
    (made,) = patched([deployment()], stored["spec"]["patches"])
    assert "replicas" not in made["spec"]
