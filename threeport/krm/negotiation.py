"""Which form of the answer a client asked for in its Accept header."""

from __future__ import annotations

from enum import Enum

from threeport.common.errors import NotAcceptable


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
