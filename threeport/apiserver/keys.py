"""The two secrets of an installation: the key that seals fields and the key that signs tokens."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path

from threeport.krm.sealing import KEY_BYTES


class UnusableKey(Exception):
    """A key file is missing or holds no key; the message names the file and what it should hold."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Both keys, 32 bytes each; they never appear in a representation."""

    sealing: bytes = field(repr=False)
    tokens: bytes = field(repr=False)


def read_keys(directory: Path) -> Keys:
    """Reads ``sealing.key`` and ``tokens.key``. Raises `UnusableKey`."""
    return Keys(_read(directory / "sealing.key"), _read(directory / "tokens.key"))


def _read(path: Path) -> bytes:
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, binascii.Error) as error:
        raise UnusableKey(f"{path} cannot be read ({error}); it should hold 32 random bytes in base64") from error
    if len(key) != KEY_BYTES:
        raise UnusableKey(f"{path} holds {len(key)} bytes instead of {KEY_BYTES} in base64")
    return key
