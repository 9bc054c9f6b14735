"""The OpenAPI v2 document: what it says of schemas that v2 has no words for, and how protobuf says it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from threeport.common.types import JsonObject
from threeport.krm.openapi import gnostic
from threeport.krm.openapi.v2 import swagger
from threeport.krm.openapi.v3 import document
from threeport.resources import load_catalog
from threeport.resources.kind import Catalog, Kind


def _definition_of(schema: JsonObject) -> JsonObject:
    whole = swagger([{"components": {"schemas": {"S": schema}}, "paths": {}}])
    definition: JsonObject = whole["definitions"]["S"]
    return definition


@pytest.mark.parametrize("word", ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "nullable"])
def test_where_anything_may_stand_no_fields_are_named(word: str) -> None:
    schema = {"type": "object", "description": "d", "properties": {"a": {"type": "string"}}, word: True}
    assert _definition_of(schema).keys() - {word} == {"description"}


def test_words_that_v2_does_not_have_are_left_out_at_every_depth() -> None:
    field = {"type": "string", "anyOf": [{"minLength": 1}], "x-kubernetes-validations": [{"rule": "true"}]}
    schema = {
        "type": "object",
        "not": {},
        "properties": {"a": {"type": "array", "items": field}},
        "additionalProperties": field,
    }
    assert _definition_of(schema) == {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string"}}},
        "additionalProperties": {"type": "string"},
    }


def test_references_lead_to_definitions() -> None:
    whole = swagger(document(load_catalog(), group, version) for group, version in load_catalog().groups())
    workload = whole["definitions"]["io.threeport.v1alpha1.Workload"]
    reference = workload["properties"]["metadata"]["$ref"]
    assert reference.removeprefix("#/definitions/") in whole["definitions"]
    assert "#/components" not in str(whole)


def test_every_document_of_the_catalog_can_be_written_in_protobuf() -> None:
    catalog = load_catalog()
    assert gnostic.encode(swagger(document(catalog, group, version) for group, version in catalog.groups()))


def test_a_schema_with_every_word_can_be_written_in_protobuf() -> None:
    numbers = {"maximum": 5, "minimum": -0.5, "multipleOf": 0.5, "exclusiveMaximum": True, "exclusiveMinimum": False}
    counts = {"maxItems": 1, "minItems": 0, "maxLength": 3, "minLength": 1, "maxProperties": 2, "minProperties": 1}
    schema = {
        "type": "object", "title": "t", "description": "d", "format": "int64", "pattern": "^a$", "uniqueItems": True,
        "required": ["a"], "enum": ["a", 1, None], "default": {"a": 1}, "example": [1], "externalDocs": {"url": "u"},
        "x-kubernetes-list-type": "map", "additionalProperties": True, **numbers, **counts,
    }  # fmt: skip
    kind = Kind(
        kind="Odd", plural="odds", singular="odd", group="g", schema={"type": "object", "properties": {"a": schema}}
    )
    assert gnostic.encode(swagger([document(Catalog([kind, dataclasses.replace(kind, version="v2")]), "g", "v1")]))


@pytest.mark.parametrize(
    ("whole", "raw"),
    [
        ({"swagger": "2.0"}, b"\x0a\x032.0"),
        ({"info": {"title": "a", "version": "b"}}, b"\x12\x06\x0a\x01a\x12\x01b"),
        # Definitions { NamedSchema { name, Schema { TypeItem } } }
        ({"definitions": {"S": {"type": "object"}}}, b"\x4a\x12\x0a\x10\x0a\x01S\x12\x0b\xb2\x01\x08\x0a\x06object"),
        ({"definitions": {"S": {"maximum": 1}}}, b"\x4a\x10\x0a\x0e\x0a\x01S\x12\x09\x39" + b"\0" * 6 + b"\xf0\x3f"),
        ({"definitions": {"S": {"minLength": 300}}}, b"\x4a\x0a\x0a\x08\x0a\x01S\x12\x03\x60\xac\x02"),
        # NamedAny { name, Any { yaml } }
        (
            {"definitions": {"S": {"x-a": 1}}},
            b"\x4a\x14\x0a\x12\x0a\x01S\x12\x0d\xfa\x01\x0a\x0a\x03x-a\x12\x03\x12\x011",
        ),
    ],
)
def test_fields_are_written_as_the_wire_format_has_them(whole: dict[str, Any], raw: bytes) -> None:
    written = gnostic.encode(whole)
    assert written == raw
