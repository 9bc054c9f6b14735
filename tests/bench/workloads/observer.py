"""Watches the API and the clusters, and notes when each instance was created, present in its cluster, and Ready."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from agent.cluster.reflector import Reflector
from threeport.client import Client, ClientSettings
from threeport.client.transport import Transport
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import is_ready
from threeport.kube.access import ClusterAccess
from threeport.kube.labels import INSTANCE_LABEL
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadInstance

DEPLOYMENTS: Final = "/apis/apps/v1/deployments"
"""The last of an instance's objects to be applied."""
LONGEST: Final = 1800.0
BETWEEN: Final = (0.1, 0.75)
"""Parts of the instances. Of a hundred, shared out by a hash, one of two shards has up to 60."""


class Observer:
    """Times by uid, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._uids: dict[str, str] = {}
        self._created: dict[str, float] = {}
        self._present: dict[str, float] = {}
        self._ready: dict[str, float] = {}

    def created(self, instance: FrozenJson, *, begun: float) -> None:
        """An instance has been created; the request began at `begun`."""
        metadata = instance["metadata"]
        self._uids[metadata["name"]] = metadata["uid"]
        self._created[metadata["uid"]] = begun

    async def all_ready(self, names: Sequence[str]) -> None:
        """Returns when all instances of these names are Ready."""
        uids = {self._uids[name] for name in names}
        async with asyncio.timeout(LONGEST):
            while not (uids <= self._ready.keys() and uids <= self._present.keys()):
                await asyncio.sleep(0.1)

    def present(self, names: Sequence[str]) -> str:
        """How long it took until they were in their clusters."""
        return self._summary(names, self._present)

    def ready(self, names: Sequence[str]) -> str:
        """How long it took until they were Ready."""
        return self._summary(names, self._ready)

    def pace(self, names: Sequence[str]) -> float:
        """Instances that came into their clusters in a second while all shards were at work: at the start and at the
        end not all are."""
        times = sorted(self._present[self._uids[name]] for name in names)
        first, last = (int(len(times) * part) for part in BETWEEN)
        return (last - first) / (times[last] - times[first])

    def _summary(self, names: Sequence[str], reached: dict[str, float]) -> str:
        uids = [self._uids[name] for name in names]
        percentiles = statistics.quantiles([reached[uid] - self._created[uid] for uid in uids], n=100)
        return f"p50 {percentiles[49]:.2f} s, p99 {percentiles[98]:.2f} s"

    async def follow_api(self, client: Client) -> None:
        """Notes what becomes Ready."""
        async for event in client.watch(kind_of(WorkloadInstance)):
            if event.type in ("ADDED", "MODIFIED") and is_ready(event.object):
                self._ready.setdefault(event.object["metadata"]["uid"], time.monotonic())

    def seen(self, obj: JsonObject) -> None:
        """A Deployment is in a cluster."""
        self._present.setdefault(obj["metadata"]["labels"][INSTANCE_LABEL], time.monotonic())

    def gone(self, obj: JsonObject) -> None:
        """What goes is of no interest."""

    def listing(self) -> None:
        """Lists come and go."""

    def synced(self) -> None:
        """What had gone before is of no interest either."""


@asynccontextmanager
async def observing(client: Client, accesses: Sequence[ClusterAccess]) -> AsyncIterator[Observer]:
    """An observer of the API and of clusters, by ways that are not slowed."""
    observer = Observer()
    with tempfile.TemporaryDirectory(prefix="threeport-bench-") as directory:
        transports = [Transport(_settings(access, Path(directory))) for access in accesses]
        query = {"labelSelector": INSTANCE_LABEL}
        tasks = [asyncio.create_task(Reflector(each, DEPLOYMENTS, query, observer).run()) for each in transports]
        tasks.append(asyncio.create_task(observer.follow_api(client)))
        try:
            yield observer
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for transport in transports:
                await transport.close()


def _settings(access: ClusterAccess, directory: Path) -> ClientSettings:
    files: dict[str, str] = {}
    for name in ("certificate_authority", "client_certificate", "client_key"):
        path = directory / f"{abs(hash(access.endpoint))}-{name}"
        path.write_text(getattr(access, name) or "")
        files[name] = str(path)
    return ClientSettings(
        url=access.endpoint,
        ca_file=files["certificate_authority"],
        cert_file=files["client_certificate"],
        key_file=files["client_key"],
    )
