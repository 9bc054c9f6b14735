"""Runs a module under strain: ``python strained_process.py CLOCK MODULE [short]``.

The file CLOCK holds microseconds by which the wall clock is shifted. Only what stamps revisions and measures skew reads
the clock this way (`time.time_ns`); sleeping and timeouts go by the monotonic clock, which does not step on a real
machine either.

With ``short``, an API process comes to its limits within a minute: watches run over after some events instead of 2,000,
revisions expire after 25 s instead of 35 minutes, and tombstones go after 90 s instead of an hour.
"""

from __future__ import annotations

import asyncio.constants
import runpy
import socket
import sys
import time
from pathlib import Path

RAN_OVER = "a watch has run over"
"""Stands in the log of a process whenever a watcher was too slow."""

_BUFFER = 10
_SOCKET_BUFFER = 16
"""KiB that the kernel, and asyncio too, may keep for a client that does not read; what is more waits in the queue."""


def main() -> None:
    """Shift the clock, shorten the limits if asked to, then become the module."""
    file, module = Path(sys.argv[1]), sys.argv[2]
    if sys.argv[3:] == ["short"]:
        _shorten()
    real = time.time_ns

    def shifted() -> int:
        return real() + int(file.read_bytes()) * 1000

    time.time_ns = shifted
    sys.argv = [module]
    sys.path.pop(0)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _shorten() -> None:
    from threeport.apiserver import sweeping
    from threeport.common.revisions import SECOND
    from threeport.events.hub import Hub
    from threeport.events.timing import Timing
    from threeport.events.watch import Item, WatchQueue
    from threeport.store import sweeper

    # The relations that `Timing` asks for hold, and a clock that is 30 s off is found out before they do not.
    _default(Timing, "memory", 22 * SECOND)
    _default(Timing, "expiry", 25 * SECOND)
    _default(Hub, "buffer", _BUFFER)
    vars(sweeper)["TOMBSTONE_LIFE"] = 90
    vars(sweeping)["INTERVAL"] = 5.0
    vars(asyncio.constants)["FLOW_CONTROL_HIGH_WATER_SSL_WRITE"] = _SOCKET_BUFFER
    push, listen = WatchQueue.push, socket.socket.listen

    def push_and_tell(watch: WatchQueue, item: Item) -> None:
        was_open = watch.open
        push(watch, item)
        if was_open and not watch.open:
            sys.stderr.write(f"{RAN_OVER}\n")

    def listen_with_small_buffers(listening: socket.socket, *backlog: int) -> None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER * 1024)  # connections inherit it
        listen(listening, *backlog)

    setattr(WatchQueue, "push", push_and_tell)  # noqa: B010 - mypy wants it said that this is meant
    setattr(socket.socket, "listen", listen_with_small_buffers)  # noqa: B010


def _default(of: type, name: str, value: object) -> None:
    """Gives a keyword parameter of a constructor another default; there must be one."""
    defaults = of.__init__.__kwdefaults__  # type: ignore[misc]
    assert name in defaults
    defaults[name] = value


if __name__ == "__main__":
    main()
