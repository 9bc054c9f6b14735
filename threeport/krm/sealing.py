"""Sensitive fields: sealed in the database and in notifications, redacted in answers, clear for those who may see them.

A sealed value is ``sealed:v1:<digest>:<base64>``, AES-256-GCM bound to the resource and the field. What everyone sees
in its place is ``redacted:<digest>``. The digest is keyed, so it tells nothing about the value without the key, and
equal values have equal digests: a controller that never holds a secret still sees that one has changed, and an object
that is read, edited and applied again keeps the secrets that its reader did not see.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from threeport.common.errors import ApiError, Cause, Invalid
from threeport.common.types import JsonObject
from threeport.resources.kind import FieldPath, Kind

KEY_BYTES: Final = 32
"""Length of the key of an installation."""

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which kubectl keeps the whole object as the user wrote it, secrets included."""

SEALED = re.compile(r"sealed:v1:([0-9a-f]{16}):[A-Za-z0-9+/=]+")
PLACEHOLDER = re.compile(r"redacted:([0-9a-f]{16})")

_NONCE_BYTES: Final = 12
_SEALED_MARK: Final = "sealed:"

Known: TypeAlias = dict[str, dict[FieldPath, str]]
"""Digest -> field -> sealed value: one per field, so that an object sealed again from its clear form is the same."""


class Place(NamedTuple):
    """Where a sensitive value stands: `holder[key]`. `pattern` is its field's path with ``*`` for items."""

    holder: Any
    key: Any
    pattern: FieldPath
    path: str

    @property
    def value(self) -> object:
        """What stands there now."""
        return self.holder[self.key]

    def put(self, value: object) -> None:
        """Replaces it."""
        self.holder[self.key] = value


class Sealer:
    """Seals, redacts and reveals with the key of the installation (32 bytes). Implements `Secrecy`."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the sealing key has {len(key)} bytes instead of {KEY_BYTES}")
        self._cipher = AESGCM(_derived(key, b"threeport sealing v1"))
        self._digest_key = _derived(key, b"threeport digest v1")

    def seal(self, kind: Kind, new: JsonObject, old: JsonObject | None) -> None:
        """Seals the sensitive values of `new` in place; placeholders become the values of `old` that they stand for.

        An unchanged value keeps its old ciphertext, so that writing an object again unchanged is no change.
        Raises `Invalid` for a placeholder that stands for nothing, and for input that poses as sealed.
        """
        if not kind.sensitive and not kind.manifests:
            return
        known = _sealed_values(kind, old or {})
        for place in places(kind, new):
            place.put(self._sealed(kind, place, known))
        self._clean_last_applied(kind, new)

    def redact(self, kind: Kind, text: str) -> str:
        """The JSON text of one object or many with every sealed value replaced by its placeholder."""
        return SEALED.sub(r"redacted:\1", text)

    def reveal(self, kind: Kind, obj: JsonObject) -> None:
        """Replaces sealed values of `obj` by clear ones, in place. Raises `ApiError` if the key does not fit."""
        for place in places(kind, obj):
            if isinstance(place.value, str) and SEALED.fullmatch(place.value):
                place.put(self._open(kind, place.pattern, place.value))

    def digest(self, value: object) -> str:
        """16 hexadecimal digits that are equal for equal values and tell nothing without the key."""
        return hmac.new(self._digest_key, orjson.dumps(value), hashlib.sha256).hexdigest()[:16]

    def _sealed(self, kind: Kind, place: Place, known: Known) -> str:
        """The sealed form of what stands at `place`, by preference the one that is known already."""
        value = place.value
        if isinstance(value, str) and value.startswith(_SEALED_MARK):
            match = SEALED.fullmatch(value)
            if match and known.get(match[1], {}).get(place.pattern) == value:
                return value
            raise _refusal(kind, place, "starts with `sealed:`, the mark of what the API has sealed: give the value")
        placeholder = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        digest = placeholder[1] if placeholder else self.digest(value)
        fields = known.setdefault(digest, {})
        if placeholder and not fields:
            raise _refusal(kind, place, f"is `{value}`, which stands for nothing that this object has: give the value")
        if place.pattern not in fields:
            clear = self._open(kind, *next(iter(fields.items()))) if placeholder else value
            fields[place.pattern] = self._new_sealed(kind, place.pattern, clear)
        return fields[place.pattern]

    def _new_sealed(self, kind: Kind, pattern: FieldPath, value: object) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._cipher.encrypt(nonce, orjson.dumps(value), _context(kind, pattern))
        return f"{_SEALED_MARK}v1:{self.digest(value)}:{base64.b64encode(nonce + ciphertext).decode()}"

    def _open(self, kind: Kind, pattern: FieldPath, sealed: str) -> object:
        raw = base64.b64decode(sealed.rsplit(":", 1)[1])
        try:
            clear = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _context(kind, pattern))
        except InvalidTag as error:
            raise ApiError(
                f"{kind.resource}: {'.'.join(pattern)} was sealed with another key, or moved from another field. "
                "Start the API with the sealing.key that this database was written with, or set the field anew."
            ) from error
        value: object = orjson.loads(clear)
        return value

    def _clean_last_applied(self, kind: Kind, obj: JsonObject) -> None:
        """Replaces the sensitive values inside kubectl's copy of the object by placeholders."""
        annotations = (obj.get("metadata") or {}).get("annotations") or {}
        text = annotations.get(LAST_APPLIED)
        if not isinstance(text, str):
            return
        applied = _decoded_object(text)
        if applied is None:
            message = "is not the JSON of an object: remove it, or apply the object with kubectl"
            raise Invalid(
                f"{kind.kind}: metadata.annotations[{LAST_APPLIED}] {message}",
                kind=kind.kind,
                causes=[Cause(f"metadata.annotations[{LAST_APPLIED}]", message)],
            )
        clear = [place for place in places(kind, applied) if not _is_placeholder(place.value)]
        for place in clear:
            place.put(f"redacted:{self.digest(place.value)}")
        if clear:
            # kubectl compares the text, and ends it with a newline: without secrets it stays as it is.
            annotations[LAST_APPLIED] = orjson.dumps(applied).decode() + ("\n" if text.endswith("\n") else "")


def places(kind: Kind, obj: JsonObject) -> Iterator[Place]:
    """Every place of a sensitive value in `obj`: the kind's sensitive fields, and Secrets among its manifests."""
    for path in kind.sensitive:
        yield from _places_at(obj, path, path, "")
    for path in kind.manifests:
        for found in _places_at(obj, (*path, "*"), path, ""):
            yield from _places_in_manifest(found)


def _places_at(node: object, rest: FieldPath, pattern: FieldPath, path: str) -> Iterator[Place]:
    """Follows `rest` from `node`; ``*`` stands for every item of a list and every value of a mapping."""
    step, *further = rest
    for key in _keys(node, step):
        container: Any = node
        here = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
        if container[key] is None:
            continue
        if further:
            yield from _places_at(container[key], tuple(further), pattern, here)
        else:
            yield Place(container, key, pattern, here)


def _keys(node: object, step: str) -> list[Any]:
    if isinstance(node, dict):
        return list(node) if step == "*" else [step] if step in node else []
    return list(range(len(node))) if isinstance(node, list) and step == "*" else []


def _places_in_manifest(found: Place) -> Iterator[Place]:
    """The values of a Secret. Text that was not split into objects is sensitive as a whole: who knows what is in it."""
    manifest = found.value
    if isinstance(manifest, str):
        yield found
    if not isinstance(manifest, dict):
        return
    if manifest.get("kind") == "Secret":
        for name in ("data", "stringData"):
            if isinstance(manifest.get(name), dict):
                yield from _places_at(manifest, (name, "*"), found.pattern, found.path)
            else:
                yield from _places_at(manifest, (name,), found.pattern, found.path)
        yield from _places_at(manifest, ("metadata", "annotations", LAST_APPLIED), found.pattern, found.path)
    for item in _places_at(manifest, ("items", "*"), found.pattern, found.path):
        yield from _places_in_manifest(item)


def _is_placeholder(value: object) -> bool:
    return isinstance(value, str) and PLACEHOLDER.fullmatch(value) is not None


def _sealed_values(kind: Kind, obj: JsonObject) -> Known:
    """All that is sealed in an object."""
    found: Known = {}
    for place in places(kind, obj):
        match = SEALED.fullmatch(place.value) if isinstance(place.value, str) else None
        if match:
            found.setdefault(match[1], {})[place.pattern] = match[0]
    return found


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(key)


def _context(kind: Kind, pattern: FieldPath) -> bytes:
    """What a ciphertext is bound to: it opens in no other field and no other kind."""
    return f"{kind.resource}:{'.'.join(pattern)}".encode()


def _decoded_object(text: str) -> JsonObject | None:
    try:
        decoded = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return decoded if isinstance(decoded, dict) else None


def _refusal(kind: Kind, place: Place, message: str) -> Invalid:
    return Invalid(f"{kind.kind}: {place.path} {message}.", kind=kind.kind, causes=[Cause(place.path, message)])
