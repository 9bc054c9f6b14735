"""Metrics of controllers: how much waits to be reconciled, and for how long.

An object counts as pending from the moment that it is seen not to be Ready at its generation until it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import kopf
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from threeport.common.types import FrozenJson
from threeport.controller.conditions import is_ready
from threeport.resources.kind import Kind


class PendingReconciles(Collector):
    """Objects that wait, by controller. Written by the threads of controllers, read by the one that serves metrics."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], float] = {}
        self._controllers: set[str] = set()

    def expect(self, controller: str) -> None:
        """This controller is to be told of even while nothing waits for it: a missing figure is no zero."""
        self._controllers.add(controller)

    def see(self, controller: str, obj: FrozenJson, *, gone: bool = False) -> None:
        """Takes note of the present state of an object."""
        key = (controller, obj["metadata"]["uid"])
        if gone or is_ready(obj):
            self._since.pop(key, None)
        else:
            self._since.setdefault(key, time.monotonic())

    def forget(self, controller: str) -> None:
        """The controller has stopped; another process may look after its objects."""
        for key in [key for key in list(self._since) if key[0] == controller]:
            self._since.pop(key, None)

    def collect(self) -> Iterable[Metric]:
        """The two gauges, for Prometheus."""
        count = GaugeMetricFamily(
            "threeport_controller_pending_reconciles", "Objects that are not Ready.", labels=["controller"]
        )
        age = GaugeMetricFamily(
            "threeport_controller_oldest_pending_seconds", "How long the oldest of them waits.", labels=["controller"]
        )
        now, waiting = time.monotonic(), list(self._since.items())
        for controller in sorted(self._controllers):
            ages = [now - since for key, since in waiting if key[0] == controller]
            count.add_metric([controller], len(ages))
            age.add_metric([controller], max(ages, default=0))
        return [count, age]


PENDING = PendingReconciles()


def watch_pending(registry: kopf.OperatorRegistry, controller: str, kinds: Iterable[Kind]) -> None:
    """Counts the objects of `kinds` in this operator."""
    PENDING.expect(controller)

    async def count(event: kopf.RawEvent, **_: Any) -> None:
        PENDING.see(controller, event["object"], gone=event["type"] == "DELETED")

    for kind in kinds:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id="count-pending")(count)


def serve_metrics(port: int, host: str = "127.0.0.1") -> None:
    """Serves ``/metrics`` from a thread of its own."""
    REGISTRY.register(PENDING)
    start_http_server(port, host)
