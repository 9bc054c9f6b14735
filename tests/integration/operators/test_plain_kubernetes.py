"""The same operators with a plain Kubernetes API server in the place of ours: only ``crds/`` is applied to it."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.cluster.provision import Cluster as RealCluster
from tests.fixtures.manifests import CONFIG
from tests.integration.operators.conftest import (
    INSTANCE,
    NAMESPACE,
    RUNTIME,
    RUNTIME_DEFINITION,
    WORKLOAD,
    ControlPlane,
    Space,
    access_from,
    administrator_of,
    ensure,
    runtime_spec,
)
from threeport.bootstrap.local.processes import ServerProcess
from threeport.client import Client
from threeport.kube.cluster import Cluster
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport, report_name

CRDS = Path(__file__).parents[3] / "crds"
REPORT = kind_of(WorkloadReport)


class PlainControllers(ServerProcess):
    """Both controllers against the API server of a kubeconfig."""

    name = "controllers on plain Kubernetes"

    def __init__(self, directory: Path, kubeconfig: Path) -> None:
        super().__init__(directory)
        self._kubeconfig = kubeconfig

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return [sys.executable, "-W", "ignore", "-m", "threeport.controller", "workload", "kubernetes-runtime"]

    def environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("THREEPORT_")}
        return {**kept, "KUBECONFIG": str(self._kubeconfig)}

    def ready(self) -> bool:
        return self.pid is not None


@pytest.fixture
def controllers(cluster: RealCluster, tmp_path: Path) -> Iterator[PlainControllers]:
    """The controllers, on a cluster that has our kinds."""
    names = [yaml.safe_load(path.read_text())["metadata"]["name"] for path in sorted(CRDS.glob("*.threeport.io.yaml"))]
    cluster.kubectl("apply", "--server-side", "-f", str(CRDS))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", *(f"crd/{name}" for name in names))
    made = PlainControllers(tmp_path / "plain", cluster.kubeconfig)
    made.start()
    yield made
    made.stop()
    ours = [name for name in names if not name.endswith("agent.threeport.io")]
    cluster.kubectl("delete", "crd", "--wait=false", *ours)


async def test_the_operators_run_against_a_plain_kubernetes_api_server(
    controllers: PlainControllers, cluster: RealCluster, control_plane: ControlPlane, tmp_path: Path
) -> None:
    access = access_from(cluster.kubeconfig)
    suffix = uuid.uuid4().hex[:8]
    async with Client(administrator_of(access, tmp_path)) as client:
        space = Space(client, f"plain-{suffix}", f"self-{suffix}", control_plane, Cluster(access))
        await client.create({"metadata": {"name": space.namespace}}, NAMESPACE)
        await ensure(client, RUNTIME_DEFINITION, "kubeconfig", {"infraProvider": "kubeconfig"})
        await ensure(client, RUNTIME, space.runtime, runtime_spec(access))
        await space.ready(RUNTIME, space.runtime)
        await space.deploy("shop", [yaml.safe_dump(CONFIG)])
        await space.says(INSTANCE, "shop", "AwaitingReport")
        await report_healthy(space, "shop")
        await space.ready(WORKLOAD, "shop")
        await client.delete(WORKLOAD, "shop", space.namespace)
        await space.gone(WORKLOAD, "shop")
        abandon = {"metadata": {"annotations": {"threeport.io/abandon": "true"}}}
        await client.patch(RUNTIME, space.runtime, None, abandon)
        await client.delete(RUNTIME, space.runtime)
        await space.gone(RUNTIME, space.runtime)
        await client.delete(NAMESPACE, space.namespace)
        await space.cluster.close()
    assert "Traceback" not in controllers.log.read_text()


async def report_healthy(space: Space, name: str) -> None:
    """What the agent would write; here it has no identity to write it with."""
    instance = await space.get(INSTANCE, name)
    assert instance is not None
    metadata, status = instance["metadata"], instance["status"]
    spec = {
        "instanceRef": {"name": name},
        "instanceUid": metadata["uid"],
        "runtimeRef": {"name": space.runtime},
        "appliedHash": status["appliedHash"],
        "health": "Healthy",
        "resources": [],
        "events": [],
    }
    await space.create(REPORT, report_name(name, metadata["uid"], space.runtime), spec)
