"""The OpenAPI v2 document in protobuf, the only form in which client-go asks for it.

Field numbers are those of gnostic (github.com/google/gnostic-models, ``openapiv2/OpenAPIv2.proto``), of which the words
that `threeport.krm.openapi.v2` uses are written: that is less than a module generated for all of it, and needs nothing
to be installed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson

from threeport.common.types import FrozenJson

_VARINT, _FIXED64, _BYTES = 0, 1, 2

Writer: TypeAlias = Callable[[int, Any], bytes]
"""Writes a value as the field of a number."""

Fields: TypeAlias = Mapping[str, tuple[int, Writer]]
"""Number and writer by the word of the document; ``x-`` stands for all extensions."""


def encode(document: FrozenJson) -> bytes:
    """The ``openapi.v2.Document`` of a Swagger document. Raises `KeyError` for a word that has no number here."""
    return _message(_DOCUMENT, document)


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(int(value))


def _number(field: int, value: float) -> bytes:
    return _varint(field << 3 | _FIXED64) + struct.pack("<d", value)


def _any(field: int, value: Any) -> bytes:
    """``openapi.v2.Any``: YAML, which JSON is."""
    return _bytes(field, _bytes(2, orjson.dumps(value)))


def _message(fields: Fields, value: FrozenJson) -> bytes:
    parts: list[bytes] = []
    for word, content in value.items():
        if word.startswith("x-"):
            parts.append(_named(_any)(fields["x-"][0], {word: content}))
        else:
            number, write = fields[word]
            parts.append(write(number, content))
    return b"".join(parts)


def _of(fields: Fields) -> Writer:
    return lambda field, value: _bytes(field, _message(fields, value))


def _each(write: Writer) -> Writer:
    return lambda field, values: b"".join(write(field, value) for value in values)


def _named(write: Writer) -> Writer:
    """An entry with name and value for each key: ``NamedSchema`` and its like."""

    def write_all(field: int, values: Mapping[str, Any]) -> bytes:
        return b"".join(_bytes(field, _text(1, name) + write(2, value)) for name, value in values.items())

    return write_all


def _within(number: int, write: Writer) -> Writer:
    """A message whose one field, of this number, is the value."""
    return lambda field, value: _bytes(field, write(number, value))


def _schema(field: int, value: FrozenJson) -> bytes:
    return _bytes(field, _message(_SCHEMA, value))


def _additional(field: int, value: bool | FrozenJson) -> bytes:
    return _bytes(field, _integer(2, value) if isinstance(value, bool) else _schema(1, value))


def _type(field: int, value: str) -> bytes:
    return _bytes(field, _text(1, value))


def _parameter(field: int, value: FrozenJson) -> bytes:
    """``ParametersItem``: of the body, of the query or of the path."""
    where = value["in"]
    if where == "body":
        return _bytes(field, _bytes(1, _of(_BODY)(1, value)))
    number, fields = (3, _QUERY) if where == "query" else (4, _PLACE)
    return _bytes(field, _bytes(1, _bytes(2, _of(fields)(number, value))))


_EXTENSION: Writer = _named(_any)

_SCHEMA: Fields = {
    "$ref": (1, _text), "format": (2, _text), "title": (3, _text), "description": (4, _text), "default": (5, _any),
    "multipleOf": (6, _number), "maximum": (7, _number), "exclusiveMaximum": (8, _integer), "minimum": (9, _number),
    "exclusiveMinimum": (10, _integer), "maxLength": (11, _integer), "minLength": (12, _integer),
    "pattern": (13, _text), "maxItems": (14, _integer), "minItems": (15, _integer), "uniqueItems": (16, _integer),
    "maxProperties": (17, _integer), "minProperties": (18, _integer), "required": (19, _each(_text)),
    "enum": (20, _each(_any)), "additionalProperties": (21, _additional), "type": (22, _type),
    "items": (23, _within(1, _schema)), "properties": (25, _within(1, _named(_schema))), "example": (30, _any),
    "x-": (31, _EXTENSION),
}  # fmt: skip

SCHEMA_WORDS = frozenset(_SCHEMA)
"""The words of a schema that can be written, beside extensions."""

_BODY: Fields = {
    "description": (1, _text), "name": (2, _text), "in": (3, _text), "required": (4, _integer), "schema": (5, _schema),
}  # fmt: skip

_QUERY: Fields = {
    "required": (1, _integer), "in": (2, _text), "description": (3, _text), "name": (4, _text), "type": (6, _text),
    "format": (7, _text), "uniqueItems": (20, _integer),
}  # fmt: skip

_PLACE: Fields = {
    "required": (1, _integer), "in": (2, _text), "description": (3, _text), "name": (4, _text), "type": (5, _text),
    "format": (6, _text), "uniqueItems": (19, _integer),
}  # fmt: skip

_RESPONSE: Fields = {"description": (1, _text), "schema": (2, _within(1, _schema))}

_OPERATION: Fields = {
    "tags": (1, _each(_text)), "produces": (6, _each(_text)), "consumes": (7, _each(_text)),
    "parameters": (8, _each(_parameter)), "responses": (9, _within(1, _named(_within(1, _of(_RESPONSE))))),
    "x-": (13, _EXTENSION),
}  # fmt: skip

_PATH: Fields = {
    "get": (2, _of(_OPERATION)), "put": (3, _of(_OPERATION)), "post": (4, _of(_OPERATION)),
    "delete": (5, _of(_OPERATION)), "patch": (8, _of(_OPERATION)), "parameters": (9, _each(_parameter)),
}  # fmt: skip

_DOCUMENT: Fields = {
    "swagger": (1, _text), "info": (2, _of({"title": (1, _text), "version": (2, _text)})),
    "paths": (8, _within(2, _named(_of(_PATH)))), "definitions": (9, _within(1, _named(_schema))),
}  # fmt: skip
