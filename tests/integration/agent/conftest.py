"""An agent as a process between a simulated cluster and an API server, and what its controllers would have done."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.api import Api
from tests.fixtures.simulated import SimulatedCluster
from threeport.bootstrap.local.processes import ServerProcess
from threeport.client import Client
from threeport.common.ids import new_uid
from threeport.kube.agent_manifests import AGENT_ACCOUNT, AGENT_NAMESPACE, account_manifests, token_request
from threeport.kube.labels import RUNTIME_LABEL, labelled, labels_of
from threeport.kube.threeport_workload import threeport_workload_name
from threeport.resources.workload import WorkloadReport

KUBECTL_APPLY = ("apply", "--server-side", "--force-conflicts", "-f", "-")


class AgentProcess(ServerProcess):
    """``python -m agent --config FILE``."""

    name = "agent"

    def __init__(self, directory: Path, config: Mapping[str, Any]) -> None:
        super().__init__(directory)
        self._config = config

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "config.json").write_text(json.dumps(self._config))

    def command(self) -> list[str]:
        return [sys.executable, "-m", "agent", "--config", str(self.directory / "config.json")]

    def environment(self) -> Mapping[str, str]:
        return dict(os.environ)

    def ready(self) -> bool:
        """An agent is ready when it runs: what it waits for, it waits for by itself."""
        return True


@dataclass
class Deployed:
    """An instance whose objects were put into the cluster, as the workload controller does it."""

    name: str
    uid: str
    cluster: SimulatedCluster
    runtime: str
    objects: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, manifests: list[dict[str, Any]], *, generation: int = 1, applied_hash: str = "hash-1") -> None:
        """Applies the manifests, labelled, and tells the agent of them."""
        labels = labels_of(definition=self.name, instance=self.name, uid=self.uid, runtime=self.runtime)
        self.objects = [
            labelled({**one, "metadata": {"namespace": "default", **one["metadata"]}}, labels) for one in manifests
        ]
        self.cluster.kubectl(*KUBECTL_APPLY, given=yaml.safe_dump_all(self.objects))
        self.tell(generation=generation, applied_hash=applied_hash)

    def tell(self, *, generation: int = 1, applied_hash: str = "hash-1") -> None:
        """Writes the ThreeportWorkload."""
        workload = {
            "apiVersion": "agent.threeport.io/v1alpha1",
            "kind": "ThreeportWorkload",
            "metadata": {
                "name": threeport_workload_name(self.name, self.uid),
                "labels": {RUNTIME_LABEL: self.runtime},
            },
            "spec": {
                "instance": {"namespace": "default", "name": self.name, "uid": self.uid, "generation": generation},
                "runtime": self.runtime,
                "appliedHash": applied_hash,
                "resources": [
                    {
                        "apiVersion": one["apiVersion"],
                        "kind": one["kind"],
                        "namespace": one["metadata"]["namespace"],
                        "name": one["metadata"]["name"],
                    }
                    for one in self.objects
                ],
            },
        }
        self.cluster.kubectl(*KUBECTL_APPLY, given=json.dumps(workload))

    def forget(self) -> None:
        """Deletes the ThreeportWorkload."""
        self.cluster.kubectl("delete", "threeportworkload", threeport_workload_name(self.name, self.uid))


@dataclass
class Rig:
    """One agent with its cluster and the API that it reports to."""

    agent: AgentProcess
    cluster: SimulatedCluster
    client: Client
    runtime: str

    def deployed(self, name: str | None = None) -> Deployed:
        """A new instance without objects."""
        return Deployed(name or f"app-{uuid.uuid4().hex[:8]}", new_uid(), self.cluster, self.runtime)

    async def reports(self, uid: str) -> list[WorkloadReport]:
        """The reports about the instance with this uid."""
        found = await self.client.list(WorkloadReport, label_selector=f"threeport.io/runtime={self.runtime}")
        return [report for report in found.items if report.spec.instance_uid == uid]

    async def report_when(
        self, uid: str, condition: Callable[[WorkloadReport], bool], *, seconds: float = 60
    ) -> WorkloadReport:
        """The one report about an instance, as soon as it is as wanted."""

        async def look() -> WorkloadReport | None:
            found = await self.reports(uid)
            assert len(found) <= 1
            return found[0] if found and condition(found[0]) else None

        return await eventually(look, seconds=seconds, about=self.agent.log_tail)


async def eventually(
    look: Callable[[], Awaitable[Any]], *, seconds: float = 60, about: Callable[[], str] = lambda: ""
) -> Any:
    """The first true answer of `look`; fails after `seconds` with what `about` says."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if found := await look():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"not so within {seconds} s: {about()}")


@pytest.fixture
async def rig(api: Api, simulated_cluster: SimulatedCluster, tmp_path: Path) -> AsyncIterator[Rig]:
    """A cluster in which the agent's account is installed, and an agent that runs with its token."""
    async with running_rig(api, simulated_cluster, tmp_path) as made:
        yield made


@asynccontextmanager
async def running_rig(api: Api, cluster: SimulatedCluster, directory: Path) -> AsyncIterator[Rig]:
    """The same, with an API and a cluster that the test may kill."""
    runtime = f"runtime-{uuid.uuid4().hex[:8]}"
    cluster.kubectl(*KUBECTL_APPLY, given=yaml.safe_dump_all(account_manifests()))
    path = f"/api/v1/namespaces/{AGENT_NAMESPACE}/serviceaccounts/{AGENT_ACCOUNT}/token"
    async with Client(cluster.admin) as administrator:
        account_token = (await administrator.post_path(path, token_request()))["status"]["token"]
    settings = api.agent(runtime)
    config = {
        "runtime": runtime,
        "kubeconfig": cluster.kubeconfig_for(account_token),
        "token": settings.token,
        "apiUrl": settings.url,
        "caFile": settings.ca_file,
    }
    agent = AgentProcess(directory / "agent", config)
    agent.start()
    try:
        async with Client(api.admin) as client:
            yield Rig(agent, cluster, client, runtime)
    finally:
        agent.stop()
