"""Bodies in protobuf, for the one kind that kubectl sends so: ``kubectl create namespace`` knows no other form.

The envelope is four bytes and ``runtime.Unknown`` (typeMeta = 1, raw = 2). Field numbers are those of Kubernetes:
apimachinery ``pkg/runtime/generated.proto`` and ``pkg/apis/meta/v1/generated.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator

from threeport.common.errors import BadRequest, UnsupportedMediaType
from threeport.common.types import JsonObject

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TEXTS = {1: "name", 2: "generateName"}
_MAPS = {11: "labels", 12: "annotations"}
_FINALIZERS = 14


def decode_namespace(raw: bytes) -> JsonObject:
    """The Namespace in a protobuf body, as far as a creation states it: names, labels, annotations, finalizers.

    Raises `UnsupportedMediaType` for any other kind, `BadRequest` for bytes that are no protobuf.
    """
    try:
        return _namespace(raw)
    except (IndexError, UnicodeDecodeError, ValueError, KeyError):
        raise BadRequest("the body is not valid protobuf; send JSON") from None


def _namespace(raw: bytes) -> JsonObject:
    envelope = dict(_fields(raw.removeprefix(_MAGIC)))
    names = dict(_fields(envelope[1]))
    if (names[1], names[2]) != (b"v1", b"Namespace"):
        raise UnsupportedMediaType(f"{names[2].decode()} is taken as JSON only")
    metadata: JsonObject = {}
    for number, value in _fields(dict(_fields(envelope[2])).get(1, b"")):
        if number in _TEXTS and value:
            metadata[_TEXTS[number]] = value.decode()
        elif number in _MAPS:
            entry = dict(_fields(value))
            metadata.setdefault(_MAPS[number], {})[entry.get(1, b"").decode()] = entry.get(2, b"").decode()
        elif number == _FINALIZERS:
            metadata.setdefault("finalizers", []).append(value.decode())
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


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
