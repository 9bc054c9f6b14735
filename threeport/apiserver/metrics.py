"""What can be measured of requests; `threeport.events` adds its own figures to the same registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import prometheus_client
from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("threeport_requests", "Requests answered", ["verb", "resource", "code"])
LATENCY = Histogram(
    "threeport_request_seconds",
    "Time to answer a request, watches not counted",
    ["verb", "resource"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_FLIGHT = Gauge("threeport_requests_in_flight", "Requests being answered, watches not counted")
REFUSED = Counter("threeport_requests_refused", "Requests refused because of overload", ["limit"])
POOL = Gauge("threeport_database_connections", "Connections to the database, and requests that wait for one", ["state"])


def measure_pool(figures: Callable[[], Mapping[str, int]]) -> None:
    """Asks for the pool's figures (open, free, wait) whenever the metrics are read."""
    for state in figures():
        POOL.labels(state).set_function(lambda state=state: figures()[state])  # type: ignore[misc]


async def answer_metrics(_request: web.Request) -> web.Response:
    """Answers ``/metrics`` in the Prometheus text format."""
    return web.Response(
        body=prometheus_client.generate_latest(), headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST}
    )
