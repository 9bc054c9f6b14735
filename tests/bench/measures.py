"""What is measured, and how it is summed up."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.bench.connection import Connection, Target


@dataclass
class Figures:
    """Latencies in seconds of operations that were done in `seconds`; several rounds add up."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Operations a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, percent: int) -> float:
        """Milliseconds that `percent` of the operations stayed below."""
        if len(self.latencies) < 2:
            return sum(self.latencies) * 1000
        return statistics.quantiles(self.latencies, n=100)[percent - 1] * 1000

    def add(self, other: Figures) -> None:
        """Takes in another round."""
        self.latencies += other.latencies
        self.seconds += other.seconds


Operation = Callable[[Connection, int], Awaitable[None]]


async def load(target: Target, operation: Operation, *, count: int, clients: int) -> Figures:
    """Does operations number 0 to `count` - 1, spread over `clients` connections, each one at a time."""
    numbers = iter(range(count))
    figures = Figures()

    async def work(index: int) -> None:
        connection = await target.connect(index)
        for number in numbers:
            begin = time.perf_counter()
            await operation(connection, number)
            figures.latencies.append(time.perf_counter() - begin)
        connection.close()

    begin = time.perf_counter()
    await asyncio.gather(*(work(index) for index in range(clients)))
    figures.seconds = time.perf_counter() - begin
    return figures
