"""Secrets of simulated clusters: sealed in the database, and in clear for whoever may read them, as in Kubernetes."""

from __future__ import annotations

from typing import Final

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from threeport.common.types import JsonObject
from threeport.krm.sealing import SEALED, Sealer
from threeport.resources.kind import Kind

KEY_BYTES: Final = 32


class SealedAtRest:
    """Implements `Secrecy` by a `Sealer`, except that what it would redact is revealed."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)

    def seal(self, kind: Kind, new: JsonObject, old: JsonObject | None) -> None:
        """Seals the sensitive values of `new`."""
        self._sealer.seal(kind, new, old)

    def redact(self, kind: Kind, text: str) -> str:
        """The JSON text of an object, or of a list of them, in clear."""
        if not SEALED.search(text):
            return text
        content = orjson.loads(text)
        for obj in content.get("items", [content]):
            self._sealer.reveal(kind, obj)
        return orjson.dumps(content).decode()

    def reveal(self, kind: Kind, obj: JsonObject) -> None:
        """Puts clear values into `obj`."""
        self._sealer.reveal(kind, obj)


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose, made from the secret of the process."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(secret)
