"""Files that are there as a whole or not at all, and locks between processes of this machine."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.05


class Locked(Exception):
    """Another process holds the lock."""


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step; only its owner can read it. The directory is made if it is missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


@contextmanager
def lock(path: Path, *, seconds: float) -> Iterator[None]:
    """Holds an exclusive lock on the file, which the system takes back when this process ends, however it ends.

    Waits up to `seconds` for another holder, then raises `Locked`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, path, time.monotonic() + seconds)
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock now."""
    if not path.exists():
        return False
    try:
        with lock(path, seconds=0):
            return False
    except Locked:
        return True


def _take(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Locked(f"another process holds {path}") from None
            time.sleep(POLL_SECONDS)
        else:
            return
