"""The OpenAPI v2 document (Swagger): one of all kinds, for clients older than v3 or built on its models.

kubectl before 1.27 validates and explains with it; Argo CD reads the kinds' list types and keys from it. It says what
the v3 documents say, in the words of v2, and less where v2 has none (source: apiextensions-apiserver,
``pkg/controller/openapi/v2/conversion.go``): where any field may stand, nothing is said of fields, since clients would
take what is not named for a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.openapi import gnostic

_SCHEMAS = "#/components/schemas/"
_DEFINITIONS = "#/definitions/"
_ANYTHING = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "nullable")
_SHAPE = ("type", "properties", "additionalProperties", "items", "required")
_RULES = "x-kubernetes-validations"
_ACTIONS = ("get", "put", "post", "delete", "patch")


def swagger(documents: Iterable[FrozenJson]) -> JsonObject:
    """The v2 document of what v3 documents tell of."""
    definitions: JsonObject = {}
    paths: JsonObject = {}
    for document in documents:
        for name, schema in document["components"]["schemas"].items():
            definitions[name] = _schema(schema)
        for path, item in document["paths"].items():
            paths[path] = _path(item)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes resource API", "version": "v1"},
        "paths": paths,
        "definitions": definitions,
    }


def _schema(schema: FrozenJson) -> JsonObject:
    if references := [part["$ref"] for part in schema.get("allOf", []) if "$ref" in part]:
        return {**_described(schema), "$ref": references[0].replace(_SCHEMAS, _DEFINITIONS)}
    left_out = _SHAPE if any(schema.get(word) for word in _ANYTHING) else ()
    return {word: _part(word, value) for word, value in schema.items() if word not in left_out and _is_known(word)}


def _is_known(word: str) -> bool:
    return word in gnostic.SCHEMA_WORDS or (word.startswith("x-") and word != _RULES)


def _part(word: str, value: Any) -> Any:
    match word:
        case "properties":
            return {name: _schema(schema) for name, schema in value.items()}
        case "items":
            return _schema(value)
        case "additionalProperties" if isinstance(value, dict):
            return _schema(value)
        case "$ref":
            return value.replace(_SCHEMAS, _DEFINITIONS)
    return value


def _described(schema: FrozenJson) -> JsonObject:
    return {"description": schema["description"]} if "description" in schema else {}


def _path(item: FrozenJson) -> JsonObject:
    actions = {action: _operation(item[action]) for action in _ACTIONS if action in item}
    return (
        {**actions, "parameters": [_parameter(one) for one in item["parameters"]]} if "parameters" in item else actions
    )


def _operation(operation: FrozenJson) -> JsonObject:
    body: Mapping[str, FrozenJson] = operation.get("requestBody", {}).get("content", {})
    parameters = [_parameter(one) for one in operation.get("parameters", [])]
    for content in list(body.values())[:1]:
        parameters.insert(0, {"name": "body", "in": "body", "required": True, "schema": _schema(content["schema"])})
    answers = {
        code: {"description": answer["description"], **_answered(answer)}
        for code, answer in operation["responses"].items()
    }
    extensions = {word: value for word, value in operation.items() if word.startswith("x-")}
    return {
        "tags": operation["tags"],
        "consumes": list(body) or ["*/*"],
        "produces": ["application/json"],
        "parameters": parameters,
        "responses": answers,
        **extensions,
    }


def _answered(answer: FrozenJson) -> JsonObject:
    schemas = [content["schema"] for content in answer.get("content", {}).values()]
    return {"schema": _schema(schemas[0])} if schemas else {}


def _parameter(parameter: FrozenJson) -> JsonObject:
    return {**{word: value for word, value in parameter.items() if word != "schema"}, **parameter["schema"]}
