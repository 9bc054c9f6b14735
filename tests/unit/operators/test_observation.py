"""What is listed to see the objects of an instance."""

from __future__ import annotations

from operators.workload.observation import Where, places_of
from threeport.common.types import JsonObject


def item(kind: str, name: str, namespace: str | None = None, api_version: str = "v1") -> JsonObject:
    return {"apiVersion": api_version, "kind": kind, "name": name, **({"namespace": namespace} if namespace else {})}


def test_one_list_per_kind_and_namespace() -> None:
    items = [item("ConfigMap", "a", "n"), item("ConfigMap", "b", "n"), item("ConfigMap", "c", "m")]
    assert places_of(items) == {Where("v1", "ConfigMap", "n"): "", Where("v1", "ConfigMap", "m"): "c"}


def test_a_single_object_is_asked_for_by_its_name() -> None:
    assert places_of([item("Namespace", "n"), item("Namespace", "n")]) == {Where("v1", "Namespace", None): "n"}


def test_versions_of_a_group_are_one_kind_and_manifests_are_as_good_as_items() -> None:
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "n"}}
    old = item("Deployment", "web", "n", "apps/v1beta1")
    assert places_of([manifest, old]) == {Where("apps/v1", "Deployment", "n"): "web"}
