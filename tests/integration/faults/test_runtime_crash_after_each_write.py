"""A crash after each single write of the kubernetes-runtime controller: it ends where an undisturbed one does.

Its agents run in their clusters here, as Deployments: that takes more writes than a file for a supervisor.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from tests.cluster.provision import Cluster as Kubernetes
from tests.fixtures.api import new_api, settings_of
from tests.fixtures.control_plane import until
from tests.fixtures.controllers import ControllerProcess
from tests.fixtures.running import running
from tests.fixtures.simulated import SimulatedCluster, SimulatedProcess
from tests.integration.faults.crash_plane import MOST_WRITES, UNDISTURBED, Plane, comes_to, every_write
from tests.integration.faults.crashing import CrashingController
from tests.integration.faults.team import RUNTIME
from tests.integration.operators.conftest import RUNTIME_DEFINITION, access_from, ensure
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.client import Client
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import is_ready
from threeport.kube.access import ClusterAccess
from threeport.kube.agent_manifests import AGENT_LABELS, AGENT_NAMESPACE
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterError
from threeport.kube.runtime_access import access_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

STEP_ON_REAL_CLUSTERS = 4

OURS = (
    ("v1", "Namespace"),
    ("v1", "ServiceAccount"),
    ("v1", "Secret"),
    ("apps/v1", "Deployment"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
)
"""Kinds of which the controller puts something into a cluster."""


@pytest.fixture(scope="module")
async def plane(
    postgres_dsn: str,
    nats_url: str,
    identity_files: IdentityFiles,
    simulated_process: SimulatedProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Plane]:
    """An API and the controller, with the two definitions that the runtimes of these tests have."""
    home = tmp_path_factory.mktemp("runtime-crashes")
    api = new_api(settings_of(postgres_dsn, nats_url, identity_files), identity_files, home / "api")
    settings = {
        "THREEPORT_SIMULATED_URL": simulated_process.url,
        "THREEPORT_SIMULATED_TOKEN_FILE": str(simulated_process.directory / "token"),
        "THREEPORT_AGENT_IMAGE": "agent:1",
    }
    environment = ControllerProcess(home / "runtimes", api, ("kubernetes-runtime",), settings).environment()
    controller = CrashingController(home / "runtimes", ("kubernetes-runtime",), environment)
    with running(api.process, controller):
        async with Client(api.admin) as client:
            for provider in ("simulated", "kubeconfig"):
                await ensure(client, RUNTIME_DEFINITION, provider, {"infraProvider": provider})
            yield Plane(api, client, controller, postgres_dsn, "kubernetes-runtime")


@pytest.fixture(params=["simulated", "kubeconfig", pytest.param("real", marks=pytest.mark.cluster)])
def spec(request: pytest.FixtureRequest) -> JsonObject:
    """Of a runtime: a cluster that we make; one that is simulated, but brought along; a real one."""
    if request.param == "simulated":
        return {"definitionRef": {"name": "simulated"}}
    if request.param == "kubeconfig":
        cluster: SimulatedCluster = request.getfixturevalue("simulated_cluster")
        access = ClusterAccess(
            endpoint=cluster.url, token=cluster.token, certificate_authority=cluster.ca_file.read_text()
        )
    else:
        clusters: Callable[[int], list[Kubernetes]] = request.getfixturevalue("clusters")
        access = access_from(clusters(2)[1].kubeconfig)  # of its own: others have agents in the first
    fields = {
        "endpoint": access.endpoint,
        "certificateAuthority": access.certificate_authority,
        "clientCertificate": access.client_certificate,
        "clientKey": access.client_key,
        "token": access.token,
    }
    given = {name: value for name, value in fields.items() if value}
    return {"definitionRef": {"name": "kubeconfig"}, **given}


class Life:
    """A runtime that is created, changed and deleted, with a crash in each of these acts."""

    def __init__(self, plane: Plane, spec: JsonObject, expected: list[dict[str, object]]) -> None:
        self._plane, self._spec, self._expected = plane, spec, expected
        self._name = f"life-{uuid.uuid4().hex[:6]}"
        self._uid = ""

    async def live(self, crash_after: int) -> int:
        """One life; each act has its crash after so many writes, if it has so many. Returns the number of crashes."""
        client, crashes = self._plane.client, 0
        cluster: Cluster | None = None
        for act in range(2):
            self._plane.controller.die_after(crash_after)
            if act == 0:
                created = await client.create({"metadata": {"name": self._name}, "spec": self._spec}, RUNTIME)
                self._uid = created["metadata"]["uid"]
            else:
                await client.patch(RUNTIME, self._name, None, {"spec": {"agent": {"image": "agent:2"}}})
            crashes += await self._plane.crashes_or(self._is_ready)
            await until(self._is_ready, seconds=60)
            cluster = cluster or Cluster(await self._access())
            if len(self._expected) <= act:
                self._expected.append(await self._picture(cluster))
            await comes_to(partial(self._picture, cluster), self._expected[act], f"after a crash, act {act}")
        assert cluster is not None
        self._plane.controller.die_after(crash_after)
        await client.delete(RUNTIME, self._name)
        crashes += await self._plane.crashes_or(self._is_gone)
        await until(self._is_gone, seconds=60)
        await until(partial(self._has_left_nothing, cluster), seconds=60)
        await cluster.close()
        return crashes

    async def _access(self) -> ClusterAccess:
        access = access_of(await self._plane.client.get(RUNTIME, self._name, reveal=True))
        assert access is not None
        return access

    async def _is_ready(self) -> bool:
        found = await self._plane.client.find(RUNTIME, self._name)
        return found is not None and is_ready(found)

    async def _is_gone(self) -> bool:
        return await self._plane.client.find(RUNTIME, self._name) is None

    async def _has_left_nothing(self, cluster: Cluster) -> bool:
        try:
            return await _ours_in(cluster) == []
        except ClusterError as error:
            return "simulated" in str(self._spec) and "does not answer as a Kubernetes API" in str(error)

    async def _picture(self, cluster: Cluster) -> dict[str, object]:
        """The runtime and what is in its cluster, without what differs from run to run."""
        runtime = await self._plane.client.get(RUNTIME, self._name)
        status = {**runtime["status"], "conditions": [
            {name: value for name, value in one.items() if name != "lastTransitionTime"}
            for one in runtime["status"]["conditions"] if one["type"] in ("Ready", "Reachable")
        ]}  # fmt: skip
        metadata = runtime["metadata"]
        shown = {"generation": metadata["generation"], "finalizers": metadata["finalizers"], "status": status}
        objects = {f"{one['kind']} {one['metadata']['name']}": _content(one) for one in await _ours_in(cluster)}
        text = json.dumps({"runtime": shown, **objects}, sort_keys=True)
        for varying, placeholder in ((cluster.access.endpoint, "ENDPOINT"), (self._name, "NAME"), (self._uid, "UID")):
            text = text.replace(varying, placeholder)
        return dict(json.loads(re.sub("NAME-[0-9a-f]{8}", "NAME-SUFFIX", text)))


async def _ours_in(cluster: Cluster) -> list[JsonObject]:
    """What the controller has put into a cluster and is still there."""
    lists = [await cluster.list(*kind) for kind in OURS]
    found = [obj for listed in lists for obj in listed]
    return [obj for obj in found if _is_ours(obj)]


def _is_ours(obj: FrozenJson) -> bool:
    metadata = obj["metadata"]
    labels = metadata.get("labels") or {}
    return metadata["name"] == AGENT_NAMESPACE or AGENT_LABELS.items() <= labels.items()


def _content(obj: FrozenJson) -> Any:
    if obj["kind"] == "Deployment":
        return [one["image"] for one in obj["spec"]["template"]["spec"]["containers"]]
    return {name: obj.get(name) for name in ("rules", "subjects", "roleRef", "type")}


async def test_a_crash_after_any_write_changes_nothing_in_the_end(
    plane: Plane, spec: JsonObject, request: pytest.FixtureRequest
) -> None:
    expected: list[dict[str, object]] = []
    is_real = "real" in request.node.callspec.id
    for writes in every_write(STEP_ON_REAL_CLUSTERS if is_real else 1):
        crashes = await Life(plane, spec, expected).live(writes)
        if writes != UNDISTURBED and not crashes:
            break
    else:
        pytest.fail(f"{MOST_WRITES} writes were not enough: what converges writes on and on")
    assert writes > 10
