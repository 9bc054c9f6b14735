"""What processes cost: CPU time and memory. Unlike rates they mean something on a busy machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

import psutil

MIB = 1024 * 1024


class Usage(NamedTuple):
    """What processes have used since they began."""

    cpu: float
    """Seconds of user and system time."""
    memory: float
    """MiB now; what processes share counts once (PSS)."""
    peak: float
    """MiB that were resident at most, added up over the processes."""

    def __str__(self) -> str:
        return f"{self.cpu:6.1f} s CPU, {self.memory:5.0f} MiB (peak {self.peak:.0f})"

    def since(self, before: Usage) -> Usage:
        """The same with the CPU time of a span only."""
        return self._replace(cpu=self.cpu - before.cpu)


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
        return sum(_pss(process) for process in self.processes()) / MIB

    def peak_mib(self) -> float:
        """MiB that were resident at most, added up over the processes."""
        return sum(_peak_kib(process.pid) for process in self.processes()) / 1024


def usage_of(pids: Iterable[int | None]) -> Usage:
    """The usage of running processes together; those that have no process id do not run."""
    part = Part([pid for pid in pids if pid is not None])
    return Usage(part.cpu_seconds(), part.memory_mib(), part.peak_mib())


CpuTime: TypeAlias = Counter[str]
"""Microseconds of CPU time by part."""


@contextmanager
def measured(parts: Mapping[str, Part]) -> Iterator[CpuTime]:
    """What the parts use while the context lasts; filled in at its end."""
    before = {name: part.cpu_seconds() for name, part in parts.items()}
    taken: CpuTime = Counter()
    yield taken
    for name, part in parts.items():
        taken[name] = round((part.cpu_seconds() - before[name]) * 1e6)


def memory(parts: Mapping[str, Part]) -> dict[str, float]:
    """MiB of each part."""
    return {name: part.memory_mib() for name, part in parts.items()}


def _pss(process: psutil.Process) -> float:
    """Bytes; none for a child of PostgreSQL that has just ended."""
    with suppress(psutil.NoSuchProcess):
        return float(process.memory_full_info().pss)
    return 0.0


def _peak_kib(pid: int) -> int:
    """psutil does not tell it on Linux."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0])
