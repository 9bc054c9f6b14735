"""Where programs and running clusters are kept: outside the source tree.

Programs are large and shared by all checkouts, hence a cache (it may be deleted
at any time); clusters are state (`XDG base directory specification
<https://specifications.freedesktop.org/basedir-spec/latest/>`_).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "threeport-test-cluster"


def cache_root() -> Path:
    """Folder of the built programs, one subfolder per set of versions."""
    if chosen := os.environ.get("THREEPORT_TEST_CLUSTER_CACHE"):
        return Path(chosen).absolute()
    return _base("XDG_CACHE_HOME", ".cache") / NAME


def state_root() -> Path:
    """Folder of the clusters, one subfolder per cluster name."""
    return _base("XDG_STATE_HOME", ".local/state") / NAME


def _base(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default).absolute()


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold `directory` (created if absent) for this process alone.

    The lock is on the folder itself, so nothing is left behind when the holder
    removes it; whoever waited meanwhile then holds the lock of a deleted folder
    and must begin again.
    """
    while True:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_same(descriptor, directory):
                yield
                return
        finally:
            os.close(descriptor)


def _is_same(descriptor: int, directory: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), directory.stat())
    except FileNotFoundError:
        return False
