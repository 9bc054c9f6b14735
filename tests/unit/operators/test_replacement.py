"""Which fields cannot change is told as exactly as can be, and what to do about it."""

from __future__ import annotations

import pytest

from operators.workload.replacement import fields_of, gathered, is_replaceable, may_replace, refusal
from threeport.common.types import JsonObject
from threeport.kube.errors import FieldImmutable, Rejected

FOUND: JsonObject = {
    "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "a"},
    "spec": {"serviceName": "one", "replicas": 1, "podManagementPolicy": "OrderedReady"},
}  # fmt: skip
WANTED: JsonObject = {**FOUND, "spec": {"serviceName": "two", "replicas": 1}}


def test_fields_that_differ_are_named_where_the_cluster_says_only_in_what_they_are() -> None:
    assert fields_of(FieldImmutable("x", ["spec"]), FOUND, WANTED) == ["spec.serviceName"]


def test_what_the_cluster_says_is_passed_on_where_nothing_that_is_given_differs() -> None:
    error = FieldImmutable("x", ["spec.claimRef"])
    assert fields_of(error, FOUND, WANTED) == ["spec.claimRef"]


def test_a_field_is_named_as_people_write_it() -> None:
    found = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"clusterIP": "10.0.0.1"}}
    wanted = {**found, "spec": {"clusterIP": "None"}}
    assert fields_of(FieldImmutable("x", ["spec.clusterIPs[0]"]), found, wanted) == ["spec.clusterIP"]


def test_many_fields_are_counted() -> None:
    wanted = {**FOUND, "spec": {str(number): number for number in range(9)}}
    assert fields_of(FieldImmutable("x", ["spec"]), FOUND, wanted)[-1] == "4 more"


def test_a_refusal_names_object_field_and_the_way_out() -> None:
    message = str(refusal(FieldImmutable("x", ["spec"]), FOUND, WANTED))
    assert message.startswith("StatefulSet a/db: spec.serviceName cannot be changed in place; set spec.onImmutableCha")


def test_the_advice_is_given_once_for_all_objects_and_all_of_their_fields_are_named() -> None:
    job = {**WANTED, "kind": "Job"}
    claim = {**WANTED, "kind": "PersistentVolumeClaim"}
    refused = [refusal(FieldImmutable("x", ["spec"]), FOUND, one) for one in (WANTED, job, claim)]
    first, other = gathered([Rejected("ConfigMap a/b is not accepted: no"), *refused])
    assert str(first) == (
        "StatefulSet a/db: spec.serviceName; Job a/db: spec.serviceName; PersistentVolumeClaim a/db: spec.serviceName "
        "cannot be changed in place; set spec.onImmutableChange: Replace in the definition to have it deleted and "
        "created anew, what a namespace, a kind or a volume holds would be lost with it, so it is never replaced: "
        "take the change back, or give the object another name"
    )
    assert first.reason == "FieldImmutable"
    assert str(other) == "ConfigMap a/b is not accepted: no"
    assert gathered(refused[:1]) == refused[:1]


@pytest.mark.parametrize("kind", ["Namespace", "CustomResourceDefinition", "PersistentVolumeClaim"])
def test_what_holds_data_or_objects_of_others_is_never_replaced(kind: str) -> None:
    manifest = {**WANTED, "kind": kind}
    assert not is_replaceable(manifest)
    assert "never replaced" in str(refusal(FieldImmutable("x", ["spec"]), FOUND, manifest))


def test_only_a_definition_that_says_so_allows_it() -> None:
    assert may_replace({"spec": {"onImmutableChange": "Replace"}})
    assert not may_replace({"spec": {"onImmutableChange": "Fail"}})
    assert not may_replace({"spec": {}})
