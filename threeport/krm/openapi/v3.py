"""OpenAPI v3 documents, one for each group and version, from the schemas of the kinds.

kubectl reads them to explain kinds, to know that validation is the server's (``fieldValidation``) and that dry runs
work (``dryRun``), and to choose the form of its patches.
"""

from __future__ import annotations

from collections.abc import Mapping

from threeport.common.types import FrozenJson, JsonObject
from threeport.krm import reviews
from threeport.krm.patches import APPLY, JSON_PATCH, MERGE, STRATEGIC, takes_strategic
from threeport.resources.kind import Catalog, Kind

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_STRING: JsonObject = {"type": "string"}
_TEXTS: JsonObject = {"type": "object", "additionalProperties": _STRING}


def _described(description: str, schema: FrozenJson = _STRING) -> JsonObject:
    return {**schema, "description": description}


_OWNER: JsonObject = {
    "type": "object",
    "required": ["apiVersion", "kind", "name", "uid"],
    "properties": {
        "apiVersion": _described("Group and version of the owner."),
        "kind": _described("Kind of the owner."),
        "name": _described("Name of the owner."),
        "uid": _described("Which object of that name."),
        "controller": {"type": "boolean", "description": "Whether it is the one owner that controls the object."},
        "blockOwnerDeletion": {"type": "boolean", "description": "Whether foreground deletion of it waits for this."},
    },
    "x-kubernetes-map-type": "atomic",
}

_MANAGED: JsonObject = {
    "type": "object",
    "properties": {
        "manager": _described("Who made the change."),
        "operation": _described("`Apply` or `Update`."),
        "apiVersion": _described("Group and version that the fields are of."),
        "time": {"type": "string", "format": "date-time", "description": "When it was changed last."},
        "fieldsType": _described("`FieldsV1`."),
        "fieldsV1": {"type": "object", "description": "The fields, as a set of paths."},
        "subresource": _described("By way of which subresource."),
    },
}

_OBJECT_META: JsonObject = {
    "description": "Standard object metadata.",
    "type": "object",
    "properties": {
        "name": _described("Name, unique within the namespace."),
        "generateName": _described("Prefix of a name that the server makes up."),
        "namespace": _described("Namespace that the object lives in."),
        "uid": _described("Unique in time and space; set by the server."),
        "resourceVersion": _described("Changes with every write; set by the server."),
        "generation": {"type": "integer", "format": "int64", "description": "Counts the changes of the spec."},
        "creationTimestamp": {"type": "string", "format": "date-time", "description": "Set by the server."},
        "deletionTimestamp": {"type": "string", "format": "date-time", "description": "When deletion began."},
        "labels": _described("Text by key, to select objects by.", _TEXTS),
        "annotations": _described("Text by key, for tools.", _TEXTS),
        "finalizers": {
            "type": "array",
            "items": _STRING,
            "description": "Who has to act before the object goes.",
            "x-kubernetes-list-type": "set",
            "x-kubernetes-patch-strategy": "merge",
        },
        "ownerReferences": {
            "type": "array",
            "items": _OWNER,
            "description": "Objects that this one belongs to.",
            "x-kubernetes-list-map-keys": ["uid"],
            "x-kubernetes-list-type": "map",
            "x-kubernetes-patch-merge-key": "uid",
            "x-kubernetes-patch-strategy": "merge",
        },
        "managedFields": {
            "type": "array",
            "items": _MANAGED,
            "description": "Which manager owns which fields.",
            "x-kubernetes-list-type": "atomic",
        },
    },
}

_WRITE_PARAMETERS: list[JsonObject] = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}, "description": text}
    for name, text in (
        ("dryRun", "`All`: check everything, store nothing."),
        ("fieldManager", "Who makes the change."),
        ("fieldValidation", "What to do about unknown fields: `Ignore`, `Warn` or `Strict`."),
    )
]


_LIST_PARAMETERS: list[JsonObject] = [
    {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}, "description": text}
    for name, kind, text in (
        ("labelSelector", "string", "Labels that objects have to have, such as `a=b,c in (d,e),!f`."),
        ("fieldSelector", "string", "Fields that objects have to have, such as `metadata.name=x`."),
        ("shardSelector", "string", "One of several parts of all objects, such as `0-of-4`."),
        ("referenceSelector", "string", "What objects refer to: `<resource>/<namespace>/<name>`."),
        ("limit", "integer", "Largest number of objects in the answer."),
        ("continue", "string", "Where to go on, from the answer before."),
        ("resourceVersion", "string", "The state to watch from."),
        ("resourceVersionMatch", "string", "How `resourceVersion` is meant."),
        ("sendInitialEvents", "boolean", "Whether a watch begins with the current state."),
        ("allowWatchBookmarks", "boolean", "Whether a watch tells how far it has come."),
        ("timeoutSeconds", "integer", "How long to watch."),
        ("watch", "boolean", "Whether to watch."),
    )
]

_PLACES: Mapping[str, JsonObject] = {
    name: {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}
    for name in ("namespace", "name")
}


def path_of(group: str, version: str) -> str:
    """Where a group and version is served: ``apis/<group>/<version>`` or ``api/v1``."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


def document(catalog: Catalog, group: str, version: str) -> JsonObject:
    """The OpenAPI v3 document of the kinds of a group and version."""
    kinds = [kind for kind in catalog if (kind.group, kind.version) == (group, version)]
    schemas: JsonObject = {_META: _OBJECT_META}
    paths: JsonObject = {}
    for kind in kinds:
        schemas[_schema_name(kind)] = _schema(kind)
        paths.update(_paths(kind))
    for kind in reviews.KINDS:
        if (kind.group, kind.version) == (group, version):
            schemas[_schema_name(kind)] = _schema(kind)
            paths[f"/{path_of(group, version)}/{kind.plural}"] = {"post": _posting(kind)}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes resource API", "version": version},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _schema_name(kind: Kind) -> str:
    group = ".".join(reversed(kind.group.split("."))) if kind.group else "io.k8s.api.core"
    return f"{group}.{kind.version}.{kind.kind}"


def _names(kind: Kind) -> JsonObject:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _schema(kind: Kind) -> JsonObject:
    properties = {**kind.schema.get("properties", {}), "metadata": _reference(_META)}
    for field in ("apiVersion", "kind"):
        properties.setdefault(field, _STRING)
    return {**kind.schema, "properties": properties, "x-kubernetes-group-version-kind": [_names(kind)]}


def _reference(name: str) -> JsonObject:
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "default": {}, "description": "Object metadata."}


def _paths(kind: Kind) -> JsonObject:
    base = f"/{path_of(kind.group, kind.version)}"
    collection = f"{base}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{base}/{kind.plural}"
    item = f"{collection}/{{name}}"
    paths: JsonObject = {
        collection: {
            "get": {**_operation(kind, "list"), "parameters": _LIST_PARAMETERS},
            "post": _posting(kind),
        },
        item: _item(kind),
    }
    if kind.namespaced:
        paths[f"{base}/{kind.plural}"] = {"get": {**_operation(kind, "list"), "parameters": _LIST_PARAMETERS}}
    if kind.has_status:
        paths[f"{item}/status"] = {action: part for action, part in _item(kind).items() if action != "delete"}
    for path, operations in paths.items():
        operations["parameters"] = [place for name, place in _PLACES.items() if f"{{{name}}}" in path]
    return paths


def _posting(kind: Kind) -> JsonObject:
    return {**_operation(kind, "post"), "parameters": _WRITE_PARAMETERS, **_body(kind, ["application/json"])}


def _item(kind: Kind) -> JsonObject:
    patches = [APPLY, JSON_PATCH, MERGE, *([STRATEGIC] if takes_strategic(kind) else [])]
    return {
        "get": _operation(kind, "get"),
        "put": {**_operation(kind, "put"), "parameters": _WRITE_PARAMETERS, **_body(kind, ["application/json"])},
        "patch": {**_operation(kind, "patch"), "parameters": _WRITE_PARAMETERS, **_body(kind, patches)},
        "delete": _operation(kind, "delete"),
    }


def _operation(kind: Kind, action: str) -> JsonObject:
    answer = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_schema_name(kind)}"}}}
    return {
        "tags": [f"{kind.group or 'core'}_{kind.version}"],
        "responses": {"200": {"description": "OK", "content": answer}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _names(kind),
    }


def _body(kind: Kind, media_types: list[str]) -> JsonObject:
    schema = {"$ref": f"#/components/schemas/{_schema_name(kind)}"}
    return {"requestBody": {"content": {media_type: {"schema": schema} for media_type in media_types}}}
