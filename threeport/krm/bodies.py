"""From the bytes of a request to JSON values, with limits, so that no input costs much or reaches the database broken.

Refused: more bytes than the limit, invalid UTF-8, NUL characters, lone surrogates, duplicate keys, numbers that do not
survive a round trip, deep nesting, very many keys, YAML aliases (the "billion laughs").
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from typing import Any, NoReturn, cast

import orjson
import yaml
from aiohttp import web

from threeport.common.errors import BadRequest, RequestTooLarge
from threeport.common.types import JsonObject
from threeport.krm.negotiation import body_type
from threeport.krm.protobuf import MEDIA_TYPE, decode_protobuf
from threeport.resources.yaml_text import YamlError, YamlTooLarge, refuse_deep

REQUEST_LIMIT = 3 * 1024 * 1024
"""Bytes of a request, as in Kubernetes (apiserver, ``MaxRequestBodyBytes``)."""

OBJECT_LIMIT = 1_500_000
"""Bytes of an object as stored, about etcd's limit, so that what fits here fits into a cluster."""

DEPTH_LIMIT = 100
KEYS_LIMIT = 100_000

_LARGEST_INTEGER = 2**63 - 1


async def read_limited(request: web.Request, limit: int = REQUEST_LIMIT) -> bytes:
    """The body of the request; raises `RequestTooLarge` (413) as soon as it is over `limit` bytes."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
    except web.RequestPayloadError:
        encoding = request.headers.get("Content-Encoding", "identity")
        raise BadRequest(f"the body is not of the Content-Encoding that it is said to be, {encoding[:40]!r}") from None
    return b"".join(chunks)


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"the request is larger than {limit} bytes; split it, or move data out of the object")


def decode(raw: bytes, content_type: str) -> Any:
    """The JSON value of a body in JSON or (by `content_type`) YAML.

    Raises `BadRequest` with what is wrong, or `RequestTooLarge` with the limit that it is over.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not valid UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise BadRequest("the body begins with a byte order mark, which JSON must not have: save it without")
    # JSON is YAML, and what clients send as YAML is mostly JSON, which is read a hundred times faster.
    is_yaml = "yaml" in content_type and not text.lstrip().startswith("{")
    value = _load_yaml(text) if is_yaml else _load_json(text)
    _inspect(value)
    return value


def decode_object(raw: bytes, content_type: str) -> JsonObject:
    """Like `decode`, for bodies that have to be an object."""
    value = decode(raw, content_type)
    if not isinstance(value, dict):
        raise BadRequest(f"the body must be a JSON object, not {_name_of(value)}")
    return cast(JsonObject, value)


async def read_object(request: web.Request) -> JsonObject:
    """The object in the body of a request. Raises `BadRequest`, `RequestTooLarge` or `UnsupportedMediaType`."""
    media_type = body_type(request)
    raw = await read_limited(request)
    return decode_protobuf(raw) if media_type == MEDIA_TYPE else decode_object(raw, media_type)


def _load_json(text: str) -> Any:
    try:
        return _JSON.decode(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise BadRequest(f"the body is not valid JSON: {error}") from None


def _load_yaml(text: str) -> Any:
    try:
        refuse_deep(text, aliases=False)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - the loader is a safe one, narrowed further
    except RecursionError:
        raise _too_deep() from None
    except YamlTooLarge as error:
        raise RequestTooLarge(f"the body is over a limit: {error}") from None
    except (yaml.YAMLError, YamlError, ValueError) as error:
        raise BadRequest(f"the body is not valid YAML: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    obj = dict(pairs)
    if len(obj) != len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f'duplicate field "{double}"')
    return obj


def _integer(text: str) -> int:
    if len(text) > 20 or abs(number := int(text)) > _LARGEST_INTEGER:
        raise ValueError(f"the number {text[:30]} is out of range")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:30]} is out of range")
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON value")


_JSON = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant
)


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: no duplicate keys, timestamps stay text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(keys) != len(set(keys)):
            double = next(key for key in keys if keys.count(key) > 1)
            raise yaml.YAMLError(f'duplicate field "{double}"')
        return super().construct_mapping(node, deep)


def _inspect(value: Any) -> None:
    """Refuses what cannot be stored: too deep, too many keys, strings that PostgreSQL or UTF-8 cannot hold."""
    _limit(value)
    try:
        encoded = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise BadRequest(f"the body holds a value that JSON cannot express: {error}") from None
    if b"\\u0000" in encoded and _has_nul(value):
        raise BadRequest("the body holds a NUL character; remove it, or encode the data as base64")


def _limit(value: Any) -> None:
    """Refuses what is too deep or too much, before anything looks at it that calls itself for each level."""
    count = 0
    level = [value]
    for _ in range(DEPTH_LIMIT + 1):
        level = [part for node in level for part in _parts(node)]
        count += len(level)
        if not level:
            return
        if count > KEYS_LIMIT:
            raise RequestTooLarge(f"the body holds more than {KEYS_LIMIT} values; split it")
    raise _too_deep()


def _parts(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(part) for key, part in value.items())
    return isinstance(value, list) and any(_has_nul(part) for part in value)


def _too_deep() -> RequestTooLarge:
    return RequestTooLarge(f"the body is nested deeper than {DEPTH_LIMIT} levels; make it flatter")


def _name_of(value: Any) -> str:
    names = {list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
