"""Free ports on loopback that stay free until the server binds them."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection, Sequence

from tests.cluster.errors import ClusterError

LOOPBACK = "127.0.0.1"
CANDIDATES = range(20000, 30000)
"""Below the ephemeral ports of Linux (32768-60999) and macOS (49152-65535), so that no
outgoing connection takes a port between our choice and the server's bind."""


def choose(names: Sequence[str], *, taken: Collection[int]) -> dict[str, int]:
    """A free port for each name, none of them in `taken` (ports promised to other clusters)."""
    candidates = [port for port in CANDIDATES if port not in taken]
    random.shuffle(candidates)
    free = (port for port in candidates if is_free(port))
    chosen = dict(zip(names, free, strict=False))
    if len(chosen) < len(names):
        raise ClusterError(f"No free port in {CANDIDATES}. Run: scripts/test-cluster down --all")
    return chosen


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
