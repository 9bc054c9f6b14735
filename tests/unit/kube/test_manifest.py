"""Manifests made ready for applying, and drift told by who owns which field."""

from __future__ import annotations

from threeport.common.types import JsonObject
from threeport.kube.manifest import drifted_fields, is_current, prepared

MANIFEST: JsonObject = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "n"},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}]}}},
}
PORT = {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
OWNED = {
    "f:metadata": {"f:annotations": {"f:threeport.io/applied": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:ports": PORT}}}
        },
    },
}  # fmt: skip


def live(fields: JsonObject, **spec: object) -> JsonObject:
    made = prepared(MANIFEST)
    entry = {"manager": "threeport", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields}
    containers = [{"name": "a", "image": "set by another", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]
    template = {"spec": {"containers": containers}}
    return {
        **made,
        "metadata": {**made["metadata"], "uid": "u", "managedFields": [entry]},
        "spec": {"replicas": 2, "template": template, **spec},
    }


def test_what_the_server_writes_is_left_out() -> None:
    copied = {**MANIFEST, "status": {"x": 1}, "metadata": {**MANIFEST["metadata"], "uid": "u", "resourceVersion": "1"}}
    assert prepared(copied) == prepared(MANIFEST)


def test_string_data_becomes_data_so_that_dropped_keys_go() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA=="},
              "stringData": {"b": "x"}}  # fmt: skip
    made = prepared(secret)
    assert made["data"] == {"a": "eA==", "b": "eA=="}
    assert "stringData" not in made


def test_an_object_is_current_when_it_was_applied_from_the_same_manifest() -> None:
    assert is_current(prepared(MANIFEST), live(OWNED))
    changed = {**MANIFEST, "spec": {**MANIFEST["spec"], "replicas": 3}}
    assert not is_current(prepared(changed), live(OWNED))


def test_what_the_server_adds_or_rewrites_is_no_drift() -> None:
    assert drifted_fields(prepared(MANIFEST), live(OWNED)) == []


def test_a_field_that_another_has_taken_over_is_drift() -> None:
    fields = {**OWNED, "f:spec": {key: value for key, value in OWNED["f:spec"].items() if key != "f:replicas"}}
    assert drifted_fields(prepared(MANIFEST), live(fields, replicas=5)) == ["spec.replicas"]


def test_a_field_of_another_that_has_the_wanted_value_is_no_drift() -> None:
    fields = {**OWNED, "f:spec": {key: value for key, value in OWNED["f:spec"].items() if key != "f:replicas"}}
    assert drifted_fields(prepared(MANIFEST), live(fields, replicas=2)) == []


def test_an_item_that_was_taken_out_of_a_list_is_drift() -> None:
    emptied = {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"b"}': {"f:name": {}}}}}}
    fields = {**OWNED, "f:spec": emptied}
    found = live(fields, template={"spec": {"containers": [{"name": "b"}]}})
    assert drifted_fields(prepared(MANIFEST), found) == ["spec.template.spec.containers[name=a]"]


def test_an_object_without_our_field_manager_has_drifted_as_a_whole() -> None:
    found = live(OWNED)
    found["metadata"]["managedFields"] = []
    assert drifted_fields(prepared(MANIFEST), found) == ["metadata.managedFields"]


def test_drift_names_the_very_field_also_where_others_have_taken_all_of_a_map() -> None:
    config: JsonObject = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"},
        "data": {"colour": "red", "size": "1", "a.conf": "x"},
    }  # fmt: skip
    entry = {"manager": "threeport", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:metadata": {}}}
    found = {**prepared(config), "data": {"colour": "blue", "size": "1", "mine": "x"}}
    found["metadata"] = {**found["metadata"], "managedFields": [entry]}
    assert drifted_fields(prepared(config), found) == ["data.colour", "data[a.conf]"]


def test_drift_names_the_items_of_lists_as_people_do() -> None:
    container = {"name": "a", "image": "wanted", "ports": [{"containerPort": 80}]}
    manifest = {**MANIFEST, "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}}}
    assert drifted_fields(prepared(manifest), live(OWNED)) == ["spec.template.spec.containers[name=a].image"]
