"""What the processes of a server cost: CPU time and memory. Unlike rates they mean something on a busy machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import psutil

MIB = 1024 * 1024


class Part(NamedTuple):
    """Processes that belong together, with all their children (PostgreSQL has one for each connection)."""

    pids: Sequence[int]

    def processes(self) -> list[psutil.Process]:
        """The processes that run now."""
        parents = [psutil.Process(pid) for pid in self.pids]
        return [*parents, *(child for parent in parents for child in parent.children(recursive=True))]

    def cpu_seconds(self) -> float:
        """User and system time so far, of children that have ended too."""
        total = 0.0
        for process in self.processes():
            times = process.cpu_times()
            total += times.user + times.system
        return total + sum(sum(psutil.Process(pid).cpu_times()[2:4]) for pid in self.pids)

    def memory_mib(self) -> float:
        """Memory in MiB; what processes share counts once (PSS)."""
        return float(sum(process.memory_full_info().pss for process in self.processes())) / MIB


Usage: TypeAlias = Counter[str]
"""Microseconds of CPU time by part."""


@contextmanager
def measured(parts: Mapping[str, Part]) -> Iterator[Usage]:
    """What the parts use while the context lasts; filled in at its end."""
    before = {name: part.cpu_seconds() for name, part in parts.items()}
    usage: Usage = Counter()
    yield usage
    for name, part in parts.items():
        usage[name] = round((part.cpu_seconds() - before[name]) * 1e6)


def memory(parts: Mapping[str, Part]) -> dict[str, float]:
    """MiB of each part."""
    return {name: part.memory_mib() for name, part in parts.items()}
