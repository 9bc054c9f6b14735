"""What is measured, and how it is summed up and shown."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.bench.usage import CpuTime


class Operation(NamedTuple):
    """A request to repeat; ``{n}`` in path and body stands for its number. Fields are named as in `client/main.go`."""

    Method: str
    Path: str
    Body: str = ""
    Content: str = "application/json"


@dataclass
class Figures:
    """Latencies in seconds of operations that were done in `seconds`, and what they cost; several rounds add up."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: CpuTime = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Operations a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    @property
    def server_cpu(self) -> float:
        """Microseconds of CPU time of the server, all its processes together, for one operation."""
        return sum(micros for part, micros in self.cpu.items() if part != "client") / len(self.latencies)

    def percentile(self, percent: int) -> float:
        """Milliseconds that `percent` of the operations stayed below."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1] * 1000

    def add(self, other: Figures) -> None:
        """Takes in another round."""
        self.latencies += other.latencies
        self.seconds += other.seconds
        self.cpu.update(other.cpu)


def table(name: str, by_target: Mapping[str, Figures]) -> Iterator[str]:
    """Two lines per target, and the ratios of the first to the second where there are two."""
    for target, figures in by_target.items():
        each = ", ".join(f"{part} {micros / len(figures.latencies):.0f}" for part, micros in figures.cpu.items())
        yield (
            f"{name:14} {target:15} {figures.rate:8.0f}/s   "
            f"p50 {figures.percentile(50):7.1f} ms   p99 {figures.percentile(99):7.1f} ms"
        )
        yield f"{'':30} {figures.server_cpu:8.0f} us of the server's CPU each   ({each})"
    if len(by_target) == 2:
        ours, theirs = by_target.values()
        yield (
            f"{'':30} rate x {ours.rate / theirs.rate:.2f}, p50 x {ours.percentile(50) / theirs.percentile(50):.2f}, "
            f"CPU x {ours.server_cpu / theirs.server_cpu:.2f}"
        )
