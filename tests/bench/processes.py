"""CPU time and memory of processes, as Linux tells them: what a busy machine does not distort."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1 << 10


class Usage(NamedTuple):
    """What processes have used since they began."""

    cpu: float
    """Seconds of user and system time."""
    memory: float
    """MiB that are resident now, all processes together."""
    peak: float
    """MiB that were resident at most, added up over the processes."""

    def __str__(self) -> str:
        return f"{self.cpu:6.1f} s CPU, {self.memory:5.0f} MiB (peak {self.peak:.0f})"

    def since(self, before: Usage) -> Usage:
        """The same with the CPU time of a span only."""
        return self._replace(cpu=self.cpu - before.cpu)


def usage_of(pids: Iterable[int | None]) -> Usage:
    """The usage of running processes together; those that have no process id do not run."""
    found = [_usage(pid) for pid in pids if pid is not None]
    return Usage(sum(one.cpu for one in found), sum(one.memory for one in found), sum(one.peak for one in found))


def _usage(pid: int) -> Usage:
    process = Path(f"/proc/{pid}")
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    return Usage(
        (int(fields[11]) + int(fields[12])) / _TICKS,
        int(status["VmRSS"].split()[0]) / _MIB,
        int(status["VmHWM"].split()[0]) / _MIB,
    )
