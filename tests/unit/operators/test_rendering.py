"""From a definition to the objects of one instance."""

from __future__ import annotations

from operators.workload.rendering import Desired, Identity, render, scopes_from_definitions
from threeport.common.types import JsonObject
from threeport.kube.labels import INSTANCE_LABEL

IDENTITY = Identity(definition="shop", instance="shop.eu", uid="3f1c", runtime="eu")
SCOPES = {("v1", "ConfigMap"): True, ("v1", "Namespace"): False, ("rbac.authorization.k8s.io/v1", "ClusterRole"): False}


def manifest(kind: str, name: str, namespace: str | None = None, api_version: str = "v1") -> JsonObject:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def places(desired: Desired) -> list[tuple[str, str | None]]:
    return [(one["metadata"]["name"], one["metadata"].get("namespace")) for one in desired.manifests]


def test_objects_without_a_namespace_go_into_a_managed_one_that_comes_first() -> None:
    desired = render([manifest("ConfigMap", "a")], SCOPES, IDENTITY)
    assert desired.namespace is not None
    assert desired.namespace.startswith("shop-eu-")
    assert places(desired) == [(desired.namespace, None), ("a", desired.namespace)]
    assert all(one["metadata"]["labels"][INSTANCE_LABEL] == "3f1c" for one in desired.manifests)


def test_a_namespace_that_the_manifests_bring_is_used_instead() -> None:
    desired = render([manifest("ConfigMap", "a"), manifest("Namespace", "own")], SCOPES, IDENTITY)
    assert places(desired) == [("own", None), ("a", "own")]


def test_objects_that_name_their_namespace_stay_there() -> None:
    desired = render([manifest("ConfigMap", "a", "elsewhere")], SCOPES, IDENTITY)
    assert places(desired) == [("a", "elsewhere")]
    assert desired.namespace is None


def test_cluster_wide_objects_need_no_namespace_and_lose_one_that_they_name() -> None:
    role = manifest("ClusterRole", "r", "nonsense", "rbac.authorization.k8s.io/v1")
    assert places(render([role], SCOPES, IDENTITY)) == [("r", None)]


def test_kinds_that_nobody_knows_are_left_for_later_and_change_the_digest_when_they_come() -> None:
    widget = manifest("Widget", "w", api_version="example.com/v1")
    early = render([widget, manifest("ConfigMap", "a")], SCOPES, IDENTITY)
    assert early.unknown == [widget]
    late = render([widget, manifest("ConfigMap", "a")], {**SCOPES, ("example.com/v1", "Widget"): True}, IDENTITY)
    assert late.unknown == []
    assert early.digest != late.digest


def test_a_definition_of_a_kind_tells_its_scope() -> None:
    spec = {"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget"}, "versions": [{"name": "v1"}]}
    crd = {**manifest("CustomResourceDefinition", "widgets.example.com"), "spec": spec}
    assert scopes_from_definitions([crd]) == {("example.com/v1", "Widget"): False}


def test_two_instances_of_one_definition_share_nothing() -> None:
    other = Identity(definition="shop", instance="shop.eu", uid="9a9a", runtime="eu")
    first, second = (
        render([manifest("ConfigMap", "a")], SCOPES, IDENTITY),
        render([manifest("ConfigMap", "a")], SCOPES, other),
    )
    assert first.namespace != second.namespace
    assert first.digest != second.digest
