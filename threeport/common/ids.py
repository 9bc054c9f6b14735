"""Identifiers: the uid of an object and short suffixes made from it."""

from __future__ import annotations

import hashlib
import uuid
import zlib

SUFFIX_LENGTH = 8


def new_uid() -> str:
    """A random uid in the form that Kubernetes uses: a version 4 UUID as text."""
    return str(uuid.uuid4())


def suffix_of(uid: str, length: int = SUFFIX_LENGTH) -> str:
    """A stable short suffix, lower-case letters and digits, for names derived from an object (managed namespaces)."""
    return hashlib.sha256(uid.encode()).hexdigest()[:length]


def shard_hash(uid: str) -> int:
    """A stable hash of the uid, 0 to 2**32 - 1, that the store keeps so that SQL can tell shards apart too."""
    return zlib.crc32(uid.encode())


def shard_of(uid: str, shards: int) -> int:
    """Which of `shards` controllers looks after the object."""
    return shard_hash(uid) % shards


def derived_name(base: str, uid: str, *, limit: int = 63, length: int = SUFFIX_LENGTH) -> str:
    """`<base>-<suffix of uid>`, cut so that it stays a DNS label of at most `limit` characters. The suffix has `length`
    of them."""
    suffix = suffix_of(uid, length)
    return f"{base[: limit - len(suffix) - 1].rstrip('-.')}-{suffix}"
