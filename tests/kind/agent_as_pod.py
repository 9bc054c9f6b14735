"""The agent as a Deployment whose pod really runs: installed by the controller, behind NAT, with probes and metrics.

Run by ``scripts/test-kind agent``, which puts the agent's image into the node first.
"""

# ruff: noqa: T201 - it tells what it has measured

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.provision import Cluster
from tests.fixtures.api import CONTROLLERS, Api, ApiProcess, settings_of
from tests.fixtures.control_plane import until
from tests.fixtures.controllers import ControllerProcess
from tests.integration.operators.conftest import RUNTIME, RUNTIME_DEFINITION, WORKLOAD, access_from, runtime_spec
from tests.kind.agent_image import NAME
from tests.kind.daemon import BRIDGE
from threeport.bootstrap.local.identities import prepare_identities
from threeport.client import Client
from threeport.controller.conditions import condition, is_ready
from threeport.kube.agent_manifests import AGENT_NAMESPACE

RUNTIME_NAME = "kind"
WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "docker.io/library/nginx:1.27"}]},
        },
    },
}


class ReachableApi(ApiProcess):
    """An API server on the bridge of the cluster's node: pods reach it, and nothing outside of this machine."""

    def __init__(self, directory: Path, settings: Mapping[str, str], ca_file: Path, address: str) -> None:
        super().__init__(directory, settings, ca_file)
        self._address = address

    @property
    def url(self) -> str:
        return f"https://{self._address}:{self.port}"

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), self.listen_setting: f"{self._address}:{self.port}"}


@pytest.fixture
def gateway() -> str:
    """The address of this machine on the bridge."""
    shown = subprocess.run(["ip", "-4", "addr", "show", BRIDGE], capture_output=True, text=True, check=True).stdout
    found = re.search(r"inet ([\d.]+)/", shown)
    assert found, shown
    return found.group(1)


@pytest.fixture
def api(postgres_dsn: str, nats_url: str, gateway: str, tmp_path: Path) -> Iterator[Api]:
    """API and controllers; the agent is told to use the address on the bridge."""
    files = prepare_identities(tmp_path / "identities", hosts=(gateway, "127.0.0.1"), controllers=CONTROLLERS)
    settings = settings_of(postgres_dsn, nats_url, files)
    process = ReachableApi(tmp_path / "api", settings, files.authority.certificate, gateway)
    made = Api(process, files, settings["THREEPORT_DATABASE_SCHEMA"], settings)
    controllers = [
        ControllerProcess(tmp_path / "workload", made, ("workload",), {}),
        ControllerProcess(tmp_path / "runtime", made, ("kubernetes-runtime",), {"THREEPORT_AGENT_IMAGE": NAME}),
    ]
    with ExitStack() as stack:
        for each in (process, *controllers):
            each.start()
            stack.callback(each.stop)
        yield made


@pytest.fixture
async def client(api: Api, cluster: Cluster) -> AsyncIterator[Client]:
    """The administrator, and the cluster as a runtime."""
    access = access_from(cluster.kubeconfig)
    agent = {"resources": {"limits": {"memory": "200Mi"}}, "metricsPort": 9100}
    spec = {**runtime_spec(access), "agent": agent}
    async with Client(api.admin) as admin:
        definition = {"metadata": {"name": "kubeconfig"}, "spec": {"infraProvider": "kubeconfig"}}
        await admin.create(definition, RUNTIME_DEFINITION)
        await admin.create({"metadata": {"name": RUNTIME_NAME}, "spec": spec}, RUNTIME)
        yield admin
        await admin.delete(RUNTIME, RUNTIME_NAME)

        async def is_gone() -> bool:
            return await admin.find(RUNTIME, RUNTIME_NAME) is None

        await until(is_gone, seconds=120)


async def test_the_agent_runs_as_a_pod_and_reports(client: Client, cluster: Cluster) -> None:
    begun = time.monotonic()

    async def agent_is_heard() -> bool:
        found = await client.find(RUNTIME, RUNTIME_NAME)
        reporting = condition((found or {}).get("status"), "AgentReporting")
        return reporting is not None and reporting["status"] == "True"

    await until(agent_is_heard, seconds=180, why=lambda: _state(cluster))
    print(f"\nfrom the runtime to the agent's first heartbeat: {time.monotonic() - begun:.0f} s")
    spec = {"manifests": [WEB], "runtimeRef": {"name": RUNTIME_NAME}}
    await client.create({"metadata": {"name": "app", "namespace": "default"}, "spec": spec}, WORKLOAD)

    async def workload_is_ready() -> bool:
        return is_ready(await client.get(WORKLOAD, "app", "default"))

    begun = time.monotonic()
    await until(workload_is_ready, seconds=120, why=lambda: _state(cluster))
    print(f"from a Workload to Ready, its pod running: {time.monotonic() - begun:.0f} s")
    (pod,) = json.loads(_kubectl(cluster, "get", "pods", "-o", "json"))["items"]
    (status,) = pod["status"]["containerStatuses"]
    assert status["ready"]
    assert status["restartCount"] == 0
    name = pod["metadata"]["name"]
    path = f"/api/v1/namespaces/{AGENT_NAMESPACE}/pods/{name}:9100/proxy/metrics"
    measured = cluster.kubectl("get", "--raw", path)
    assert "threeport_agent_instances 1.0" in measured
    memory = re.search(r"^process_resident_memory_bytes (\S+)", measured, re.MULTILINE)
    assert memory
    print(f"memory of the agent: {float(memory.group(1)) / 2**20:.0f} MiB")
    await client.delete(WORKLOAD, "app", "default")

    async def is_gone() -> bool:
        return await client.find(WORKLOAD, "app", "default") is None

    await until(is_gone, seconds=120)


def _kubectl(cluster: Cluster, *arguments: str) -> str:
    return cluster.kubectl("--namespace", AGENT_NAMESPACE, *arguments)


def _state(cluster: Cluster) -> str:
    """What the cluster says of the agent's pod."""
    return _kubectl(cluster, "describe", "pods") + _kubectl(
        cluster, "logs", "-l", "app.kubernetes.io/name=threeport-agent"
    )
