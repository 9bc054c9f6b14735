"""Bodies in protobuf, for what kubectl sends in no other form: ``kubectl create namespace`` and ``kubectl auth``.

The envelope is four bytes and ``runtime.Unknown`` (typeMeta = 1, raw = 2). Field numbers are those of Kubernetes:
apimachinery ``pkg/runtime/generated.proto`` and ``pkg/apis/meta/v1/generated.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from threeport.common.errors import BadRequest, UnsupportedMediaType
from threeport.common.types import JsonObject

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TEXTS = {1: "name", 2: "generateName"}
_MAPS = {11: "labels", 12: "annotations"}
_FINALIZERS = 14

Fields: TypeAlias = Mapping[int, "str | tuple[str, Fields]"]
"""Name of a text field by its number, or name and fields of a message."""

_RESOURCE = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
_ACCESS: Fields = {
    1: ("resourceAttributes", dict(enumerate(_RESOURCE, start=1))),
    2: ("nonResourceAttributes", {1: "path", 2: "verb"}),
}
_SPECS: Mapping[str, Fields] = {
    "SelfSubjectAccessReview": _ACCESS,
    "SelfSubjectRulesReview": {1: "namespace"},
    "SelfSubjectReview": {},
}
"""Fields of the spec, which is field 2, of reviews (``k8s.io/api/authorization/v1/generated.proto``)."""


def decode_protobuf(raw: bytes) -> JsonObject:
    """The object in a protobuf body, as far as a creation states it: a Namespace, or the spec of a review.

    Raises `UnsupportedMediaType` for any other kind, `BadRequest` for bytes that are no protobuf.
    """
    try:
        envelope = dict(_fields(raw.removeprefix(_MAGIC)))
        names = dict(_fields(envelope[1]))
        api_version, kind = names[1].decode(), names[2].decode()
        content = dict(_fields(envelope.get(2, b"")))
        if (api_version, kind) == ("v1", "Namespace"):
            part = {"metadata": _metadata(content.get(1, b""))}
        elif kind in _SPECS:
            part = {"spec": _message(content.get(2, b""), _SPECS[kind])}
        else:
            raise UnsupportedMediaType(f"{kind} is taken as JSON only")
    except (IndexError, UnicodeDecodeError, ValueError, KeyError):
        raise BadRequest("the body is not valid protobuf; send JSON") from None
    return {"apiVersion": api_version, "kind": kind, **part}


def _message(raw: bytes, fields: Fields) -> JsonObject:
    message: JsonObject = {}
    for number, value in _fields(raw):
        match fields.get(number):
            case str(name):
                message[name] = value.decode()
            case (name, inner):
                message[name] = _message(value, inner)
    return message


def _metadata(raw: bytes) -> JsonObject:
    metadata: JsonObject = {}
    for number, value in _fields(raw):
        if number in _TEXTS and value:
            metadata[_TEXTS[number]] = value.decode()
        elif number in _MAPS:
            entry = dict(_fields(value))
            metadata.setdefault(_MAPS[number], {})[entry.get(1, b"").decode()] = entry.get(2, b"").decode()
        elif number == _FINALIZERS:
            metadata.setdefault("finalizers", []).append(value.decode())
    return metadata


def _fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and contents of the fields of a message that are messages or text; numbers are skipped."""
    position = 0
    while position < len(raw):
        tag, position = _varint(raw, position)
        if tag & 7 == _BYTES:
            length, position = _varint(raw, position)
            if position + length > len(raw):
                raise ValueError("truncated")
            yield tag >> 3, raw[position : position + length]
            position += length
        elif tag & 7 == _VARINT:
            _, position = _varint(raw, position)
        elif tag & 7 in (_FIXED64, _FIXED32):
            position += 8 if tag & 7 == _FIXED64 else 4
        else:
            raise ValueError("unknown wire type")


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
        if shift > 63:
            raise ValueError("varint too long")
