"""Workload instances by the thousand: how long they take, and what they cost.

python -m tests.bench.workloads [--instances 1000] [--runtimes 10] [--rate 10] [--idle 330] [--pods 5000]
                                [--shard-instances 200] [--only apply,idle,restart,cold,shards,agent]

Two real clusters (`scripts/test-cluster`), 4 objects per instance beside its namespace. CPU time and counts of
requests mean more than times: everything shares the machine.
"""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tests.bench.fleet import Fleet, fleet, grown
from tests.bench.observer import Observer, observing
from tests.bench.usage import Usage
from threeport.client import Client
from threeport.client.transactions import Operation
from threeport.common.types import JsonObject
from threeport.controller.conditions import condition, is_ready
from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadDefinition, WorkloadInstance

CLUSTERS: Final = 2
NAMESPACE: Final = "default"
BATCH: Final = 100
PODS_EACH: Final = 50
SETTLING: Final = 10.0
"""Seconds for what follows upon the last step of something."""
DELAY: Final = 0.05
"""Seconds of round trip that are added to clusters when shards are compared."""
PHASES: Final = ("apply", "idle", "restart", "cold", "shards", "agent")
WRITING: Final = ("create", "update", "patch", "apply", "delete", "deletecollection")

INSTANCE = kind_of(WorkloadInstance)
DEFINITION = kind_of(WorkloadDefinition)
RUNTIME = kind_of(KubernetesRuntimeInstance)
RUNTIME_DEFINITION = kind_of(KubernetesRuntimeDefinition)


def manifests(replicas: int) -> list[JsonObject]:
    """The four objects of an instance."""
    labels = {"app": "web"}
    pod = {"serviceAccountName": "web", "containers": [{"name": "web", "image": "nginx:1.27"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "red"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
         "spec": {"selector": labels, "ports": [{"port": 80}]}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
    ]  # fmt: skip


class Bench:
    """The phases, in the order in which they are run."""

    def __init__(self, given: argparse.Namespace, fleet: Fleet, client: Client, observer: Observer) -> None:
        self._given = given
        self._fleet = fleet
        self._client = client
        self._observer = observer
        self._runtimes = [f"runtime-{number}" for number in range(given.runtimes)]

    async def prepare(self) -> None:
        """Makes runtimes, by turns on each cluster, and the definitions; returns when all agents report."""
        await self._create(RUNTIME_DEFINITION, "kubeconfig", {"infraProvider": "kubeconfig"}, None)
        for number, name in enumerate(self._runtimes):
            access = self._fleet.way_to(number % CLUSTERS)
            spec = {
                "definitionRef": {"name": "kubeconfig"},
                "endpoint": access.endpoint,
                "tlsServerName": access.tls_server_name,
                "certificateAuthority": access.certificate_authority,
                "clientCertificate": access.client_certificate,
                "clientKey": access.client_key,
            }
            await self._create(RUNTIME, name, spec, None)
        for name, replicas in (("small", 1), ("large", PODS_EACH)):
            await self._create(DEFINITION, name, {"manifests": manifests(replicas)}, NAMESPACE)

        async def all_report() -> bool:
            found = (await self._client.list(RUNTIME)).items
            return all(is_ready(one) and condition(one["status"], "AgentReporting") for one in found)

        await until(all_report)

    async def apply(self) -> None:
        """Creates instances at a steady rate."""
        names = names_of("steady", self._given.instances)
        await self._converge("first", len(self._runtimes), shards=1)
        before, requests, begun = self._fleet.usage(), self._fleet.api_requests(), time.monotonic()
        for number, name in enumerate(names):
            await asyncio.sleep(max(0.0, begun + number / self._given.rate - time.monotonic()))
            sent = time.monotonic()
            self._observer.created(await self._create(INSTANCE, name, self._spec(number), NAMESPACE), begun=sent)
        await self._observer.all_ready(names)
        print(f"\n{len(names)} instances at {self._given.rate}/s, {time.monotonic() - begun:.0f} s in all")
        print(f"  create -> present in the cluster: {self._observer.present(names)}")
        print(f"  create -> Ready:                  {self._observer.ready(names)}")
        self._print_usage(before)
        self._print_requests(requests, len(names))

    async def idle(self) -> None:
        """Leaves everything alone."""
        seconds, count = self._given.idle, self._given.instances
        before, requests, sent = self._fleet.usage(), self._fleet.api_requests(), self._fleet.cluster_requests()
        await asyncio.sleep(seconds)
        print(f"\n{count} instances converged, {seconds} s")
        self._print_usage(before)
        for what, added in (
            ("API", grown(requests, self._fleet.api_requests())),
            ("clusters", grown(sent, self._fleet.cluster_requests())),
        ):
            hourly = sum(added.values()) / count * 3600 / seconds
            print(f"  requests to {what}: {hourly:.1f} per instance and hour: {named(added)}")

    async def restart(self) -> None:
        """Restarts the workload controller and sees what it writes."""
        requests, log = self._fleet.api_requests(), self._fleet.workloads[0].log
        read = log.stat().st_size
        self._fleet.stop_workload_controllers()
        self._fleet.start_workload_controllers(1)
        begun = time.monotonic()
        expected: int = self._given.instances

        async def all_are_looked_at() -> bool:
            said = log.read_bytes()[read:].decode()
            return len(set(re.findall(r"WorkloadInstance (\S+): nothing to apply", said))) >= expected

        await until(all_are_looked_at)
        await asyncio.sleep(SETTLING)
        print(f"\nrestart of the controller: {expected} instances looked at after {time.monotonic() - begun:.1f} s")
        added = grown(requests, self._fleet.api_requests())
        writes = {key: n for key, n in added.items() if key.split()[0] in WRITING and "heartbeat" not in key}
        to_clusters = {key: n for key, n in self._fleet.cluster_requests().items() if key != "GET"}
        print(f"  writes: {sum(writes.values()):.0f} to the API {named(writes)}, to clusters {named(to_clusters) or 0}")
        self._print_usage({})

    async def cold(self) -> None:
        """Lets a controller find all instances at once, and then delete them."""
        await self._clear()
        await self._converge("cold", self._given.instances, shards=1)
        await self._clear()

    async def shards(self) -> None:
        """Compares one shard with two, for clusters that are far away."""
        taken = []
        for distance in self._fleet.distances:
            distance.seconds = DELAY
        for count in (1, 2):
            await self._clear()
            taken.append(await self._converge(f"shards-{count}", self._given.shard_instances, shards=count))
        for distance in self._fleet.distances:
            distance.seconds = 0.0
        print(f"  two shards are {taken[0] / taken[1]:.2f} times as fast as one")

    async def agent(self) -> None:
        """Fills one cluster with pods, of one runtime, and looks at its agent."""
        await self._clear()
        count = self._given.pods // PODS_EACH
        self._fleet.start_workload_controllers(1)
        names = names_of("large", count)
        for name in names:
            spec = {"definitionRef": {"name": "large"}, "runtimeRef": {"name": self._runtimes[0]}}
            sent = time.monotonic()
            self._observer.created(await self._create(INSTANCE, name, spec, NAMESPACE), begun=sent)
        await self._observer.all_ready(names)
        print(f"\n{count * PODS_EACH} pods of one runtime: its agent")
        print(f"  as they come:    {self._agent_usage()}")
        while await self._reports_written(10):
            pass  # what the last pods did is news yet
        self._fleet.restart_agent(self._runtimes[0])
        written = await self._reports_written(60)
        print(f"  a minute after a restart: {self._agent_usage()}; writes to the API: {named(written) or 'none'}")

    async def _reports_written(self, seconds: float) -> dict[str, float]:
        """How many reports are written, by verb, from now on."""
        before = self._fleet.api_requests()
        await asyncio.sleep(seconds)
        grew = grown(before, self._fleet.api_requests())
        return {key: n for key, n in grew.items() if key.endswith("workloadreports") and key.startswith(WRITING)}

    def _agent_usage(self) -> Usage:
        return self._fleet.agent_usage(self._runtimes[0])

    async def _clear(self) -> None:
        """Deletes all instances, so that a controller that starts finds no others; returns without controllers."""
        if not self._fleet.workloads:
            self._fleet.start_workload_controllers(1)
        found, begun = (await self._client.list(INSTANCE)).items, time.monotonic()
        for at in range(0, len(found), BATCH):
            await self._client.transaction([Operation(verb="delete", obj=one) for one in found[at : at + BATCH]])

        async def all_are_gone() -> bool:
            return not (await self._client.list(INSTANCE)).items

        await until(all_are_gone)
        if found:
            print(f"\n{len(found)} instances deleted in {time.monotonic() - begun:.1f} s")
        self._fleet.stop_workload_controllers()

    async def _converge(self, label: str, count: int, *, shards: int) -> float:
        """Seconds from when the controllers are at work until all are Ready that were created before."""
        names = names_of(label, count)
        made: list[JsonObject] = []
        for at in range(0, count, BATCH):
            batch = [_object(INSTANCE, name, self._spec(at + n)) for n, name in enumerate(names[at : at + BATCH])]
            made += await self._client.transaction([Operation(verb="create", obj=one) for one in batch])
        before, requests, begun = self._fleet.usage(), self._fleet.api_requests(), time.monotonic()
        for one in made:
            self._observer.created(one, begun=begun)
        self._fleet.start_workload_controllers(shards)
        await until(self._fleet.hold_leases)
        at_work = time.monotonic()
        await self._observer.all_ready(names)
        taken = time.monotonic() - at_work
        print(f"\n{count} instances from a cold start, {shards} shards: {taken:.1f} s, {count / taken:.1f}/s", end="")
        print(f" (after {at_work - begun:.1f} s to start)")
        self._print_usage({key: value for key, value in before.items() if "workload" not in key})
        self._print_requests(requests, count)
        return taken

    async def _create(self, kind: Kind, name: str, spec: JsonObject, namespace: str | None) -> JsonObject:
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        return await self._client.create({"metadata": metadata, "spec": spec}, kind)

    def _spec(self, number: int) -> JsonObject:
        runtime = self._runtimes[number % len(self._runtimes)]
        return {"definitionRef": {"name": "small"}, "runtimeRef": {"name": runtime}}

    def _print_usage(self, before: Mapping[str, Usage]) -> None:
        for name, usage in self._fleet.usage().items():
            print(f"  {name:20} {usage.since(before[name]) if name in before else usage}")

    def _print_requests(self, before: Mapping[str, float], count: int) -> None:
        added = grown(before, self._fleet.api_requests())
        print(f"  requests to the API per instance: {sum(added.values()) / count:.1f}: {named(added)}")
        sent = self._fleet.cluster_requests()
        print(f"  requests to clusters since the controllers started: {sum(sent.values()) / count:.1f}: {named(sent)}")


def _object(kind: Kind, name: str, spec: JsonObject) -> JsonObject:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec}


def named(counts: Mapping[str, float]) -> str:
    """``7 get workloads, 3 patch workloads``."""
    return ", ".join(f"{count:.0f} {name}" for name, count in counts.items())


def names_of(label: str, count: int) -> list[str]:
    """Names of instances of one phase."""
    return [f"{label}-{number:04}" for number in range(count)]


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    """Returns when `look` is true."""
    async with asyncio.timeout(600):
        while not await look():
            await asyncio.sleep(0.2)


async def run(given: argparse.Namespace) -> None:
    """Runs the phases asked for."""
    with fleet(CLUSTERS) as made:
        async with Client(made.api.admin) as client, observing(client, made.accesses) as observer:
            bench = Bench(given, made, client, observer)
            await bench.prepare()
            for phase in given.only.split(","):
                await getattr(bench, phase)()


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("instances", 1000), ("runtimes", 10), ("rate", 10), ("idle", 330), ("pods", 5000),
                          ("shard-instances", 200)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", default=",".join(PHASES), help="phases, of " + ", ".join(PHASES))
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
