"""Between objects of the API and what callers hold: pydantic models, or plain JSON where a `Kind` is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import orjson

from threeport.client.errors import NoApi
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind

if TYPE_CHECKING:
    from threeport.resources.model import Resource

R = TypeVar("R", bound="Resource")


def declared_kind(what: type[Resource] | Kind) -> Kind:
    """The kind behind a model class; a kind is itself."""
    if isinstance(what, Kind):
        return what
    # Imported here: a command that holds kinds alone starts in half the time without pydantic.
    from threeport.resources.model import kind_of

    return kind_of(what)


def encoded(obj: Resource | FrozenJson, kind: Kind) -> JsonObject:
    """The JSON of an object, with its ``apiVersion`` and ``kind``; fields that are None are left out."""
    plain = dict(obj) if isinstance(obj, Mapping) else obj.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**plain, "apiVersion": kind.api_version, "kind": kind.kind}


def decoded(what: type[R], obj: JsonObject) -> R:
    """The model of an object. Fields that a newer server has added are ignored."""
    return what.model_validate(obj, extra="ignore")


def encode_json(value: object) -> bytes:
    """JSON text of plain data."""
    return orjson.dumps(value)


def decode_json(body: bytes) -> JsonObject:
    """The JSON object in an answer. Raises `NoApi` for another answer: something else stands before the API."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise NoApi("What answers at this URL is no Kubernetes-style API: it sent something else than JSON.")
    return value
