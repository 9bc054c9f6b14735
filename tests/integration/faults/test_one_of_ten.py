"""One of ten clusters is behind a firewall that swallows everything, with more workloads than the controller does at
once: the other nine do not notice, nothing piles up, nothing is deleted, and a minute after its return all is well."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.fixtures.control_plane import WholeControlPlane, until
from tests.fixtures.link import Link, LinkState, link_to
from tests.fixtures.manifests import config_map
from tests.integration.faults.conftest import kubeconfig_through
from tests.integration.faults.team import DEFINITION, INSTANCE, NAMESPACE, RUNTIME, WORKLOAD, Team
from threeport.common.types import JsonObject
from threeport.controller.conditions import is_ready
from threeport.controller.controller import AT_ONCE
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import REQUESTS, Cluster
from threeport.kube.runtime_access import access_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OTHERS = 9
CROWD = AT_ONCE + 16
"""Instances on the cluster that goes: more than one controller looks at at the same time."""
HEALS_WITHIN = 60.0
PATIENCE = 4.0
"""How many times as long as before something may take, and seconds on top: the machine is shared."""


@dataclass
class Ten:
    """Ten runtimes, of which one is reached by way of a link, and the instances on that one."""

    team: Team
    """Its runtime is the one behind the link."""
    link: Link
    others: list[str]
    controllers: list[psutil.Process]
    samples: list[tuple[int, int]] = field(default_factory=list)
    """Threads of the controllers, and their connections to the link, as seen from time to time."""

    async def crowd(self) -> list[JsonObject]:
        """The instances on the cluster behind the link."""
        found = (await self.team.client.list(INSTANCE, self.team.namespace)).items
        return [one for one in found if one["metadata"]["name"].startswith("crowd-")]

    async def crowd_is_ready(self, *, seconds: float) -> None:
        """Waits until all of them are Ready at their generation, which is at the newest of the definition."""

        behind: list[object] = []

        async def look() -> bool:
            definition = await self.team.client.get(DEFINITION, "crowd", self.team.namespace)
            newest, found = definition["metadata"]["generation"], await self.crowd()
            behind[:] = [(one["metadata"], one.get("status")) for one in found if not _is_at(one, newest)]
            return len(found) == CROWD and not behind

        await until(look, seconds=seconds, why=lambda: f"{len(behind)} are behind, such as {behind[:2]}")

    async def paint(self, colour: str) -> None:
        """Gives all of them something to do."""
        spec = {"manifests": [config_map("settings", colour)]}
        await self.team.client.apply(
            {"metadata": {"name": "crowd", "namespace": self.team.namespace}, "spec": spec}, DEFINITION, force=True
        )

    async def deploy_elsewhere(self, label: str) -> float:
        """Puts a Workload on each of the other nine, at the same time. Seconds until the median one is Ready."""

        async def deploy(runtime: str) -> float:
            begun, name = time.monotonic(), f"{label}-{runtime}"
            spec = {"manifests": [config_map("settings", "red")], "runtimeRef": {"name": runtime}}
            body = {"metadata": {"name": name, "namespace": self.team.namespace}, "spec": spec}
            await self.team.client.create(body, WORKLOAD)
            await self.team.ready(name)
            self.look_at_controllers()
            return time.monotonic() - begun

        return statistics.median(await asyncio.gather(*(deploy(runtime) for runtime in self.others)))

    def look_at_controllers(self) -> None:
        """Notes how many threads and connections they have now."""
        threads = sum(one.num_threads() for one in self.controllers)
        to_link = [c for one in self.controllers for c in one.net_connections("tcp") if c.raddr]
        self.samples.append((threads, sum(c.raddr.port == self.link.port for c in to_link)))

    async def uids_in_cluster(self) -> set[str]:
        """The ConfigMaps of the crowd, by an undisturbed way."""
        mine = {one["metadata"]["uid"] for one in await self.crowd()}
        found = await self.team.cluster.list("v1", "ConfigMap", label_selector="threeport.io/workload-instance")
        return {
            one["metadata"]["uid"]
            for one in found
            if one["metadata"]["labels"]["threeport.io/workload-instance"] in mine
        }


@pytest.fixture
async def access(whole: WholeControlPlane) -> ClusterAccess:
    """The simulated cluster that is reached by way of the link."""
    found = access_of(await whole.client.get(RUNTIME, "local", reveal=True))
    assert found is not None
    return found


@pytest.fixture
def way(access: ClusterAccess) -> Iterator[Link]:
    """The link."""
    address = urlsplit(access.endpoint)
    with link_to(str(address.hostname), address.port or 443) as made:
        yield made


@pytest.fixture
async def ten(whole: WholeControlPlane, access: ClusterAccess, way: Link, tmp_path: Path) -> AsyncIterator[Ten]:
    """Ten runtimes and the crowd, all Ready."""
    suffix = uuid.uuid4().hex[:6]
    far, others = f"far-{suffix}", [f"near-{number}-{suffix}" for number in range(OTHERS)]
    definition = (await whole.client.get(RUNTIME, "local"))["spec"]["definitionRef"]
    for name in others:
        await whole.client.create({"metadata": {"name": name}, "spec": {"definitionRef": definition}}, RUNTIME)
    whole.tptctl.ok("runtime", "add", far, "--kubeconfig", str(kubeconfig_through(way, access, tmp_path)))
    team = Team(whole.client, f"team-{suffix}", far, Cluster(access))
    await whole.client.create({"metadata": {"name": team.namespace}}, NAMESPACE)
    pids = [whole.tptctl.pid(f"controller-{name}") for name in ("workload", "kubernetes-runtime")]
    made = Ten(team, way, others, [psutil.Process(pid) for pid in pids])
    for name in (*others, far):
        await team.ready(name, RUNTIME)
    await made.paint("red")
    for number in range(CROWD):
        spec = {"definitionRef": {"name": "crowd"}, "runtimeRef": {"name": far}}
        body = {"metadata": {"name": f"crowd-{number}", "namespace": team.namespace}, "spec": spec}
        await whole.client.create(body, INSTANCE)
    await made.crowd_is_ready(seconds=180)
    yield made
    way.become(LinkState.OPEN)
    await whole.client.delete(NAMESPACE, team.namespace)
    await team.until(lambda: _is_empty(team), seconds=180)
    for name in others:
        await whole.client.delete(RUNTIME, name)
    # Without this the agent would be taken out of a cluster that is another runtime, too.
    await whole.client.patch(RUNTIME, far, None, {"metadata": {"annotations": {"threeport.io/abandon": "true"}}})
    await whole.client.delete(RUNTIME, far)
    await team.cluster.close()


def _is_at(instance: JsonObject, revision: int) -> bool:
    return is_ready(instance) and instance["status"]["definitionGeneration"] == revision


async def _is_empty(team: Team) -> bool:
    return await team.client.find(NAMESPACE, team.namespace) is None


@pytest.mark.parametrize("state", [LinkState.SILENT, LinkState.UNROUTED], ids=["never-answers", "unrouted"])
async def test_a_cluster_that_swallows_everything_is_a_problem_of_its_own(ten: Ten, state: LinkState) -> None:
    before = await ten.uids_in_cluster()
    assert len(before) == CROWD
    usual = await ten.deploy_elsewhere("before")
    threads = max(threads for threads, _ in ten.samples)
    ten.samples.clear()

    ten.link.become(state)
    await ten.paint("blue")
    assert await ten.deploy_elsewhere("at-once") < PATIENCE * usual + PATIENCE
    assert ten.team.runtime
    message = await ten.team.says(RUNTIME, ten.team.runtime, "ClusterUnreachable", of="Reachable", seconds=120)
    assert "cannot be reached" in message
    assert await ten.deploy_elsewhere("later") < PATIENCE * usual + PATIENCE
    assert max(threads for threads, _ in ten.samples) <= threads + 2
    assert max(connections for _, connections in ten.samples) <= 2 * REQUESTS
    assert await ten.uids_in_cluster() == before

    ten.link.become(LinkState.OPEN)
    await ten.crowd_is_ready(seconds=HEALS_WITHIN)
    assert await ten.uids_in_cluster() == before
