"""What is one object in the cluster is refused when it is given twice, however it is written."""

from __future__ import annotations

import pytest

from operators.workload.desired import refuse_duplicates
from operators.workload.rendering import Identity, render
from threeport.common.types import JsonObject
from threeport.controller.cycle import Refused

SCOPES = {("v1", "ConfigMap"): True, ("v1", "Namespace"): False, ("rbac.authorization.k8s.io/v1", "ClusterRole"): False}
IDENTITY = Identity(definition="shop", instance="shop", uid="d9cdba9d-5a02-4b2a-9d3a-1d3a0f3f2f5f", runtime="eu")


def manifest(kind: str, name: str, namespace: str | None = None) -> JsonObject:
    version = next(version for version, known in SCOPES if known == kind)
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **place}}


def test_a_manifest_that_names_the_namespace_which_the_other_one_gets_is_the_same_object() -> None:
    own, written, left_out = (manifest("Namespace", "n"), manifest("ConfigMap", "c", "n"), manifest("ConfigMap", "c"))
    with pytest.raises(Refused, match="ConfigMap n/c: given more than once") as refused:
        refuse_duplicates(render([own, written, left_out], SCOPES, IDENTITY))
    assert refused.value.reason == "InvalidManifests"


def test_a_namespace_of_a_kind_that_is_in_none_makes_no_other_object() -> None:
    with pytest.raises(Refused, match="ClusterRole r"):
        refuse_duplicates(render([manifest("ClusterRole", "r", "n"), manifest("ClusterRole", "r")], SCOPES, IDENTITY))


def test_one_name_in_two_namespaces_is_two_objects() -> None:
    refuse_duplicates(render([manifest("ConfigMap", "c", "a"), manifest("ConfigMap", "c", "b")], SCOPES, IDENTITY))
