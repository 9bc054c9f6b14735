"""What all phases stand on: runtimes, definitions, and what is done and printed in more than one phase."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.bench.usage import Usage
from tests.bench.workloads.application import (
    BARE,
    DEFINITION,
    INSTANCE,
    LARGE,
    NAMESPACE,
    SMALL,
    instances,
    manifests,
    names_of,
)
from tests.bench.workloads.fleet import Fleet, grown
from tests.bench.workloads.observer import LONGEST, Observer
from threeport.client import Client
from threeport.client.transactions import Operation
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import condition, is_ready
from threeport.kube.access import ClusterAccess
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of

CLUSTERS: Final = 2
BATCH: Final = 100
PODS_EACH: Final = 50
"""Pods of an instance of the large definition."""

RUNTIME = kind_of(KubernetesRuntimeInstance)
RUNTIME_DEFINITION = kind_of(KubernetesRuntimeDefinition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the command line says of sizes."""

    instances: int
    runtimes: int
    rate: float
    """Instances created in a second."""
    idle: int
    """Seconds."""
    pods: int
    shard_instances: int
    places: int
    """Reconciles that a shard has under way at most, when shards are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A control plane with runtimes on real clusters, and who watches it."""

    sizes: Sizes
    fleet: Fleet
    client: Client
    observer: Observer

    @property
    def runtimes(self) -> list[str]:
        """Names of the runtimes, by turns on each cluster."""
        return [f"runtime-{number}" for number in range(self.sizes.runtimes)]

    async def prepare(self) -> None:
        """Makes runtimes and definitions; returns when all agents report."""
        spec: JsonObject = {"infraProvider": "kubeconfig"}
        await self.client.create({"metadata": {"name": "kubeconfig"}, "spec": spec}, RUNTIME_DEFINITION)
        for number, name in enumerate(self.runtimes):
            access = self.fleet.way_to(number % CLUSTERS)
            spec = {
                "definitionRef": {"name": "kubeconfig"},
                **_endpoint_of(access),
                "certificateAuthority": access.certificate_authority,
                "clientCertificate": access.client_certificate,
                "clientKey": access.client_key,
            }
            await self.client.create({"metadata": {"name": name}, "spec": spec}, RUNTIME)
        for name, replicas in ((BARE, 0), (SMALL, 1), (LARGE, PODS_EACH)):
            metadata = {"name": name, "namespace": NAMESPACE}
            await self.client.create({"metadata": metadata, "spec": {"manifests": manifests(replicas)}}, DEFINITION)
        await until(self._all_report)

    async def move_clusters(self, *, afar: bool) -> None:
        """Leads controllers and agents to the clusters by the ways that can be made long, or directly."""
        for number, name in enumerate(self.runtimes):
            endpoint = _endpoint_of(self.fleet.way_to(number % CLUSTERS, afar=afar))
            await self.client.patch(RUNTIME, name, None, {"spec": endpoint})
        await until(self._all_report)

    async def _all_report(self) -> bool:
        found = (await self.client.list(RUNTIME)).items
        return all(is_ready(one) and condition(one["status"], "AgentReporting") for one in found)

    async def create(self, obj: FrozenJson) -> None:
        """Creates an instance under the eyes of the observer."""
        sent = time.monotonic()
        self.observer.created(await self.client.create(obj, INSTANCE), begun=sent)

    async def clear(self) -> None:
        """Deletes all instances, so that a controller that starts finds no others; returns without controllers."""
        if not self.fleet.workloads:
            self.fleet.start_workload_controllers(1)
        found, begun = (await self.client.list(INSTANCE)).items, time.monotonic()
        for at in range(0, len(found), BATCH):
            await self.client.transaction([Operation(verb="delete", obj=one) for one in found[at : at + BATCH]])

        async def all_are_gone() -> bool:
            return not (await self.client.list(INSTANCE)).items

        await until(all_are_gone)
        if found:
            print(f"\n{len(found)} instances deleted in {time.monotonic() - begun:.1f} s")
        self.fleet.stop_workload_controllers()

    async def converge(
        self, label: str, count: int, *, shards: int, places: int | None = None, definition: str = SMALL
    ) -> float:
        """Instances a second, while all shards have work; the controllers find them all when they start."""
        names, made = names_of(label, count), list[JsonObject]()
        new = instances(label, count, self.runtimes, definition)
        for at in range(0, count, BATCH):
            made += await self.client.transaction([Operation(verb="create", obj=one) for one in new[at : at + BATCH]])
        before, requests, begun = self.fleet.usage(), self.fleet.api_requests(), time.monotonic()
        for one in made:
            self.observer.created(one, begun=begun)
        self.fleet.start_workload_controllers(shards, places=places)
        await until(self.fleet.hold_leases)
        at_work = time.monotonic()
        await self.observer.all_ready(names)
        taken = time.monotonic() - at_work
        pace = self.observer.pace(names)
        print(f"\n{count} instances from a cold start, {shards} shards: {taken:.1f} s, {count / taken:.1f}/s, ", end="")
        print(f"{pace:.1f}/s in the midst (after {at_work - begun:.1f} s to start); {load()}")
        self.print_usage({key: value for key, value in before.items() if "workload" not in key}, count)
        self.print_requests(requests, count)
        return pace

    def print_usage(self, before: Mapping[str, Usage], count: int) -> None:
        """What each kind of process has used since, and of CPU time for each of `count` instances."""
        for name, usage in self.fleet.usage().items():
            since = usage.since(before[name]) if name in before else usage
            print(f"  {name:20} {since}, {since.cpu / count * 1000:6.1f} ms each")

    def print_requests(self, before: Mapping[str, float], count: int) -> None:
        """What was asked of API and clusters since, for each of `count` instances."""
        added = grown(before, self.fleet.api_requests())
        print(f"  requests to the API per instance: {sum(added.values()) / count:.1f}: {named(added)}")
        sent = self.fleet.cluster_requests()
        print(f"  requests to clusters since the controllers started: {sum(sent.values()) / count:.1f}: {named(sent)}")


def _endpoint_of(access: ClusterAccess) -> JsonObject:
    return {"endpoint": access.endpoint, "tlsServerName": access.tls_server_name}


def named(counts: Mapping[str, float]) -> str:
    """``7 get workloads, 3 patch workloads``."""
    return ", ".join(f"{count:.0f} {name}" for name, count in counts.items())


def load() -> str:
    """How busy the machine was in the last minute: its processes that ran or wanted to, and its cores."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    """Returns when `look` is true."""
    async with asyncio.timeout(LONGEST):
        while not await look():
            await asyncio.sleep(0.2)
