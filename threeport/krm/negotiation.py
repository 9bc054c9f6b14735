"""What a client says beside the object: the forms of body and answer in its headers, switches in the query."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from aiohttp import web

from threeport.common.errors import NotAcceptable, UnsupportedMediaType
from threeport.krm.answers import JSON
from threeport.krm.protobuf import MEDIA_TYPE


class Form(Enum):
    """The forms in which objects are answered."""

    OBJECT = "object"
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"


def negotiate(accept: str | None) -> Form:
    """The first form that the header names and that exists here; raises `NotAcceptable` (406) if there is none.

    Only JSON is spoken: a client that takes nothing but protobuf gets 406, as any client does from a server of
    custom resources.
    """
    offers = [offer for offer in (accept or "*/*").split(",") if offer.strip()]
    for offer in offers:
        media_type, *parameters = (part.strip() for part in offer.split(";"))
        wanted = dict(parameter.partition("=")[::2] for parameter in parameters)
        if media_type not in ("application/json", "*/*", "application/*"):
            continue
        match wanted.get("as"):
            case None:
                return Form.OBJECT
            case "Table":
                return Form.TABLE
            case "PartialObjectMetadata" | "PartialObjectMetadataList":
                return Form.METADATA
    raise NotAcceptable(f"only application/json is served, not {accept}; send Accept: application/json")


def is_true(query: Mapping[str, str], name: str) -> bool:
    """Whether a switch of the query is on. As in Kubernetes it is when it is there, unless it says ``false`` or ``0``.

    Source: apimachinery, ``Convert_Slice_string_To_bool``.
    """
    return name in query and query[name].lower() not in ("false", "0")


def body_type(request: web.Request, *, binary: bool = True) -> str:
    """The media type of an object in the body: JSON unless said otherwise. `binary`: protobuf is understood too.

    Raises `UnsupportedMediaType`, so that no form of a web page can write an object.
    """
    media_type = request.content_type if "Content-Type" in request.headers else JSON
    taken = (JSON, "application/yaml", *([MEDIA_TYPE] if binary else []))
    if media_type not in taken:
        raise UnsupportedMediaType(f"objects are not taken as {media_type}; send one of {', '.join(taken)}")
    return media_type
