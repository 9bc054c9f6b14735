"""The OpenAPI documents as they are answered: ``/openapi/v3``, one for each group and version, and ``/openapi/v2``.

They are made when they are first asked for, and again when the catalog has changed. Each has an entity tag, so that
clients which hold one need not read it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import orjson
from aiohttp import web

from threeport.common.errors import NotAcceptable, NotFound
from threeport.krm import reviews
from threeport.krm.answers import JSON, bytes_answer, json_answer
from threeport.krm.negotiation import offers
from threeport.krm.openapi import gnostic
from threeport.krm.openapi.v2 import swagger
from threeport.krm.openapi.v3 import document, path_of
from threeport.resources.kind import Catalog

SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_FORMER_SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
"""What client-go asks for; ``@`` may not stand in a media type, so answers bear the other name."""

_JSON_TYPES = (JSON, "application/*", "*/*")
_SWAGGER_PROTOBUF_TYPES = (SWAGGER_PROTOBUF, _FORMER_SWAGGER_PROTOBUF)
_FOREVER = "public, max-age=31536000, immutable"


class OpenApi:
    """The documents for a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._generation = -1
        self._documents: dict[str, bytes] = {}
        self._swagger: dict[str, bytes] = {}

    def answer(self, path: Sequence[str], query: Mapping[str, str], headers: Mapping[str, str]) -> web.Response:
        """The answer for the parts of a path below ``/openapi``; raises `NotFound` and `NotAcceptable`."""
        self._refresh()
        match [*path]:
            case ["v2"]:
                media_type = _swagger_type(headers.get("Accept"))
                return _tagged(self._swagger_in(media_type), media_type, headers)
            case ["v3"]:
                return json_answer({"paths": {name: _place(name, raw) for name, raw in self._documents.items()}})
            case ["v3", *rest] if raw := self._documents.get("/".join(rest)):
                answer = _tagged(raw, JSON, headers)
                if query.get("hash") == _hash(raw):
                    answer.headers["Cache-Control"] = _FOREVER
                return answer
        raise NotFound(f"there is no OpenAPI document {'/'.join(path)!r}; /openapi/v3 lists those there are")

    def _refresh(self) -> None:
        if self._generation == self._catalog.generation:
            return
        self._generation, self._swagger = self._catalog.generation, {}
        versions = {*self._catalog.groups(), *((kind.group, kind.version) for kind in reviews.KINDS)}
        self._documents = {
            path_of(group, version): orjson.dumps(document(self._catalog, group, version))
            for group, version in sorted(versions)
        }

    def _swagger_in(self, media_type: str) -> bytes:
        if media_type not in self._swagger:
            whole = swagger(orjson.loads(raw) for raw in self._documents.values())
            self._swagger[media_type] = orjson.dumps(whole) if media_type == JSON else gnostic.encode(whole)
        return self._swagger[media_type]


def _swagger_type(accept: str | None) -> str:
    for media_type, _ in offers(accept):
        if media_type in _SWAGGER_PROTOBUF_TYPES:
            return SWAGGER_PROTOBUF
        if media_type in _JSON_TYPES:
            return JSON
    raise NotAcceptable(f"only the following media types are accepted: {JSON}, {', '.join(_SWAGGER_PROTOBUF_TYPES)}")


def _place(name: str, raw: bytes) -> Mapping[str, str]:
    """Where a document is; the hash in the address lets clients keep it."""
    return {"serverRelativeURL": f"/openapi/v3/{name}?hash={_hash(raw)}"}


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32].upper()


def _tagged(raw: bytes, media_type: str, headers: Mapping[str, str]) -> web.Response:
    tag = f'"{_hash(raw)}"'
    known = {one.strip().removeprefix("W/") for one in headers.get("If-None-Match", "").split(",")}
    answer = web.Response(status=304) if tag in known else bytes_answer(raw, media_type)
    answer.headers["ETag"] = tag
    answer.headers["Vary"] = "Accept"
    return answer
