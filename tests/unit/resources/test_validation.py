"""Validation names the field and never the value."""

from __future__ import annotations

from typing import Any

import pytest

from threeport.common.errors import BadRequest, Invalid
from threeport.resources import load_catalog
from threeport.resources.crd import custom_resource_definition
from threeport.resources.kind import Kind
from threeport.resources.validation import validate

CATALOG = load_catalog()
WORKLOAD = CATALOG.by_word("workload")
RUNTIME = CATALOG.by_word("kubernetesruntimeinstance")


def obj(kind: Kind | None, **content: Any) -> tuple[Kind, dict[str, Any]]:
    assert kind is not None
    return kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "x"}, **content}


def test_defaults_are_filled_in_and_nulls_dropped() -> None:
    body, warnings = validate(*obj(RUNTIME, spec={"definitionRef": {"name": "d"}, "endpoint": None}), "Strict")
    assert body["spec"]["defaultRuntime"] is False
    assert "endpoint" not in body["spec"]
    assert not warnings


def test_unknown_fields_are_refused_warned_of_or_dropped() -> None:
    def made() -> tuple[Kind, dict[str, Any]]:
        return obj(WORKLOAD, spec={"manifests": [1], "bogus": 1, "runtime_ref": {"name": "r"}}, more=1)

    with pytest.raises(BadRequest, match='strict decoding error: .*unknown field "spec.bogus"'):
        validate(*made(), "Strict")
    body, warnings = validate(*made(), "Warn")
    assert set(warnings) == {'unknown field "spec.bogus"', 'unknown field "spec.runtime_ref"', 'unknown field "more"'}
    assert body["spec"]["manifests"] == [1]
    assert not {"bogus", "runtime_ref"} & body["spec"].keys()
    assert validate(*made(), "Ignore")[1] == []


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "spec.manifests"),
        ({"manifests": []}, "spec.manifests"),
        ({"manifests": [1], "runtimeRef": {"name": 5}}, "spec.runtimeRef.name"),
        ({"manifests": [1], "runtimeRef": "canary"}, "spec.runtimeRef"),
        ("canary", "spec"),
    ],
)
def test_what_is_wrong_is_named_by_its_path_and_without_its_value(spec: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(*obj(WORKLOAD, spec=spec), "Strict")
    assert field in [cause.field for cause in refused.value.causes]
    assert "canary" not in refused.value.message


def test_kinds_without_model_are_checked_by_their_schema() -> None:
    items = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    spec = {"type": "object", "properties": {"list": {"type": "array", "items": items}, "size": {"enum": ["S", "L"]}}}
    kind = Kind(kind="Thing", plural="things", singular="thing", schema={"type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}, "spec": spec,
    }})  # fmt: skip
    validate(*obj(kind, spec={"list": [{"n": 1}], "size": "S"}), "Strict")
    with pytest.raises(Invalid) as refused:
        validate(*obj(kind, spec={"list": [{"n": 1}, {"n": True}, {}], "size": "M"}), "Strict")
    assert {cause.field for cause in refused.value.causes} == {"spec.list[1].n", "spec.list[2].n", "spec.size"}
    with pytest.raises(BadRequest, match=r"spec.list\[0\].z"):
        validate(*obj(kind, spec={"list": [{"n": 1, "z": 1}]}), "Strict")


def test_a_kind_has_a_definition_that_a_cluster_takes() -> None:
    assert WORKLOAD is not None
    manifest = custom_resource_definition(WORKLOAD)
    assert manifest["metadata"]["name"] == "workloads.threeport.io"
    version = manifest["spec"]["versions"][0]
    assert version["subresources"] == {"status": {}}
    assert version["schema"]["openAPIV3Schema"]["properties"]["spec"]["type"] == "object"
    assert {"name", "type", "jsonPath"} <= version["additionalPrinterColumns"][0].keys()
