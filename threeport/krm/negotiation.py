"""What a client says beside the object: the forms of body and answer in its headers, switches in the query."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from aiohttp import web

from threeport.common.errors import NotAcceptable, UnsupportedMediaType
from threeport.krm.answers import JSON, YAML
from threeport.krm.protobuf import MEDIA_TYPE


class Form(Enum):
    """The forms in which objects are answered."""

    OBJECT = "object"
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"


class Offer(NamedTuple):
    """One of the forms that a client takes: a media type, and what it says beside it."""

    media_type: str
    parameters: Mapping[str, str]


def offers(accept: str | None) -> list[Offer]:
    """What an Accept header names, what the client likes best first (RFC 9110); anything if there is none."""
    parsed = [_offer(text) for text in (accept or "*/*").split(",") if text.strip()]
    return sorted(parsed, key=lambda offer: -_quality(offer))


def _offer(text: str) -> Offer:
    media_type, *parameters = (part.strip() for part in text.split(";"))
    return Offer(media_type.lower(), dict(parameter.partition("=")[::2] for parameter in parameters))


def _quality(offer: Offer) -> float:
    try:
        return float(offer.parameters.get("q", "1"))
    except ValueError:
        return 1.0


def negotiate(accept: str | None) -> Form:
    """The first form that the header names and that exists here; raises `NotAcceptable` (406) if there is none.

    JSON and YAML are spoken: a client that takes nothing but protobuf gets 406, as any client does from a server of
    custom resources.
    """
    return _first(accept)[1]


def prefers_yaml(accept: str | None) -> bool:
    """Whether the form that `negotiate` chooses is wanted as YAML; False where it chooses none."""
    try:
        return _first(accept)[0] == YAML
    except NotAcceptable:
        return False


@lru_cache(maxsize=256)
def _first(accept: str | None) -> tuple[str, Form]:
    for media_type, wanted in offers(accept):
        if media_type not in (JSON, YAML, "*/*", "application/*"):
            continue
        match wanted.get("as"):
            case None:
                return media_type, Form.OBJECT
            case "Table" if _is_meta(wanted):
                return media_type, Form.TABLE
            case "PartialObjectMetadata" | "PartialObjectMetadataList" if _is_meta(wanted):
                return media_type, Form.METADATA
    raise NotAcceptable(f"only the following media types are accepted: {JSON}, {YAML}; the request takes {accept}")


def _is_meta(parameters: Mapping[str, str]) -> bool:
    return parameters.get("g") == "meta.k8s.io" and parameters.get("v") in ("v1", "v1beta1")


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
    taken = (JSON, YAML, *([MEDIA_TYPE] if binary else []))
    if media_type not in taken:
        raise UnsupportedMediaType(f"objects are not taken as {media_type}; send one of {', '.join(taken)}")
    return media_type
