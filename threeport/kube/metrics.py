"""What can be measured of the way to tenant clusters; controllers serve it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "threeport_cluster_requests",
    'Requests sent to tenant clusters, by method and code of the answer ("none" without one)',
    ["method", "code"],
)
LATENCY = Histogram(
    "threeport_cluster_request_seconds",
    "Time until a tenant cluster has answered",
    ["method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


@dataclass(slots=True)
class Outcome:
    """What became of a request; to be filled in."""

    code: str = "none"


@contextmanager
def measured(method: str) -> Iterator[Outcome]:
    """Counts a request and measures its time."""
    outcome = Outcome()
    with LATENCY.labels(method).time():
        try:
            yield outcome
        finally:
            REQUESTS.labels(method, outcome.code).inc()
