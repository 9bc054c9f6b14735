"""Kubernetes manifests as users give them: split into objects, each checked for what makes it an object.

The API splits at admission, so that what is wrong is said to the person who wrote it, with document and line, and so
that everything behind the API handles plain objects.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from threeport.common.errors import Cause, Invalid
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.yaml_text import YamlError, load_documents

FIELD = "spec.manifests"

_API_VERSION = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?v[0-9][a-z0-9]*")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NAME = re.compile(r"(?!\.{1,2}$)[^/%\x00-\x20\x7f]{1,253}")
_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


class ObjectId(NamedTuple):
    """What tells objects of a cluster apart: the same group and kind in two versions is the same object."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class _Found(NamedTuple):
    path: str
    where: str
    value: Any


def split_manifests(items: Sequence[Any], *, field: str = FIELD) -> list[JsonObject]:
    """The objects in `items`: objects, or YAML text of any number of documents; ``List`` objects are flattened.

    Empty documents are skipped. Raises `Invalid` with a cause for everything that is wrong, each with its field
    (``spec.manifests[2]``) and, in text, document and line.
    """
    causes: list[Cause] = []
    objects: list[JsonObject] = []
    seen: dict[ObjectId, str] = {}
    for found in _flattened(items, field, causes):
        problems = list(_problems(found))
        causes += problems
        if problems:
            continue
        identity = identity_of(found.value)
        if identity in seen:
            message = f"{identity} is given twice, here{found.where} and in {seen[identity]}; remove one of them"
            causes.append(Cause(found.path, message, "FieldValueDuplicate"))
        seen.setdefault(identity, f"{found.path}{found.where}")
        objects.append(found.value)
    if not causes and not objects:
        causes.append(Cause(field, "holds no Kubernetes object; give at least one", "FieldValueRequired"))
    if causes:
        raise Invalid("; ".join(f"{cause.field}: {cause.message}" for cause in causes[:10]), causes=causes)
    return objects


def identity_of(manifest: FrozenJson) -> ObjectId:
    """What the manifest is an object of, by group, kind, namespace and name."""
    metadata = manifest["metadata"]
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return ObjectId(group, str(manifest["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"]))


def digest_of(manifests: Sequence[FrozenJson]) -> str:
    """A digest of manifests, in their order, that does not depend on the order of keys: 16 hexadecimal digits."""
    return hashlib.sha256(orjson.dumps(list(manifests), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _flattened(items: Sequence[Any], field: str, causes: list[Cause]) -> Iterator[_Found]:
    for index, item in enumerate(items):
        path = f"{field}[{index}]"
        if isinstance(item, str):
            yield from _documents(path, item, causes)
        else:
            yield from _items_of_lists(_Found(path, "", item))


def _documents(path: str, text: str, causes: list[Cause]) -> Iterator[_Found]:
    try:
        for document, line, value in load_documents(text):
            if value is not None:
                yield from _items_of_lists(_Found(path, f" (document {document}, line {line})", value))
    except YamlError as error:
        causes.append(Cause(path, f"cannot be read as YAML: {error}"))


def _items_of_lists(found: _Found) -> Iterator[_Found]:
    value = found.value
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        for number, item in enumerate(value["items"]):
            yield from _items_of_lists(_Found(f"{found.path}.items[{number}]", found.where, item))
    else:
        yield found


def _problems(found: _Found) -> Iterator[Cause]:
    value, where = found.value, found.where
    if not isinstance(value, dict):
        instead = f"a {type(value).__name__}{where}"
        if isinstance(value, str) and value.endswith((".yaml", ".yml", ".json")):
            instead = f"the path {value!r}; `tptctl apply` puts the file in its place, other clients give what is in it"
        yield Cause(found.path, f"must be a Kubernetes object, not {instead}", "FieldValueTypeInvalid")
        return
    yield from _check(found, "apiVersion", value.get("apiVersion"), _API_VERSION, "as apps/v1")
    yield from _check(found, "kind", value.get("kind"), _KIND, "as Deployment")
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        yield Cause(f"{found.path}.metadata", f"is missing{where}; a name is needed", "FieldValueRequired")
        return
    if metadata.get("generateName") and not metadata.get("name"):
        message = f"cannot be used{where}: applying it again would make another object; give metadata.name"
        yield Cause(f"{found.path}.metadata.generateName", message, "FieldValueForbidden")
        return
    yield from _check(found, "metadata.name", metadata.get("name"), _NAME, "a name without / and %")
    if metadata.get("namespace"):
        yield from _check(found, "metadata.namespace", metadata["namespace"], _NAMESPACE, "lower-case letters and -")
    for part in ("labels", "annotations"):
        pairs = metadata.get(part) or {}
        if not isinstance(pairs, dict) or not all(isinstance(text, str) for text in pairs.values()):
            message = f"must map names to text{where}; put numbers and true/false in quotes"
            yield Cause(f"{found.path}.metadata.{part}", message, "FieldValueTypeInvalid")


def _check(found: _Found, name: str, value: Any, pattern: re.Pattern[str], example: str) -> Iterator[Cause]:
    path = f"{found.path}.{name}"
    if value is None or value == "":
        yield Cause(path, f"is missing{found.where}; write it {example}", "FieldValueRequired")
    elif not isinstance(value, str) or not pattern.fullmatch(value):
        yield Cause(path, f"{value!r} is not valid{found.where}; expected {example}")
