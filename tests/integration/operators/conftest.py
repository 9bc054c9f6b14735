"""A control plane of real processes: API, controllers, agents, simulated clusters."""

from __future__ import annotations

import asyncio
import base64
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from tests.cluster.provision import Cluster as RealCluster
from tests.fixtures.api import Api, new_api, settings_of
from tests.fixtures.controllers import Agents, ControllerProcess
from tests.fixtures.running import running
from tests.fixtures.simulated import SimulatedProcess
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.client import Client, ClientSettings
from threeport.common.errors import AlreadyExists
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition, is_ready
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.runtime_access import access_of
from threeport.resources.core import Namespace
from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import Workload, WorkloadDefinition, WorkloadInstance

T = TypeVar("T")

WORKLOAD = kind_of(Workload)
DEFINITION = kind_of(WorkloadDefinition)
INSTANCE = kind_of(WorkloadInstance)
RUNTIME = kind_of(KubernetesRuntimeInstance)
RUNTIME_DEFINITION = kind_of(KubernetesRuntimeDefinition)
NAMESPACE = kind_of(Namespace)


_PLURALS = {"Ingress": "ingresses"}
"""Of kinds whose plural is not made by an s."""


@dataclass
class ControlPlane:
    """The processes, and what tests do with them."""

    api: Api
    simulated: SimulatedProcess
    workload: ControllerProcess
    runtime: ControllerProcess
    agents: Agents

    def restart_controllers(self) -> None:
        """Kills both controllers as a crash would, and starts them again."""
        for process in (self.workload, self.runtime):
            process.kill()
            process.start()


@pytest.fixture(scope="session")
def control_plane(
    postgres_dsn: str,
    nats_url: str,
    identity_files: IdentityFiles,
    simulated_process: SimulatedProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ControlPlane]:
    """A control plane that the tests of this directory share; each makes runtimes and namespaces of its own."""
    home = tmp_path_factory.mktemp("control-plane")
    api = new_api(settings_of(postgres_dsn, nats_url, identity_files), identity_files, home / "api")
    settings = {
        "THREEPORT_SIMULATED_URL": simulated_process.url,
        "THREEPORT_SIMULATED_TOKEN_FILE": str(simulated_process.directory / "token"),
        "THREEPORT_AGENT_DIR": str(home / "agents"),
    }
    plane = ControlPlane(
        api,
        simulated_process,
        ControllerProcess(home / "workload", api, ("workload",), settings),
        ControllerProcess(home / "runtime", api, ("kubernetes-runtime",), settings),
        Agents(home / "agents"),
    )
    with running(api.process, plane.workload, plane.runtime, plane.agents):
        yield plane


@dataclass
class Space:
    """A namespace of the API and a runtime of one test."""

    client: Client
    namespace: str
    runtime: str
    plane: ControlPlane
    cluster: Cluster
    """The administrator's access to the cluster of the runtime."""

    async def create(self, kind: Kind, name: str, spec: FrozenJson) -> JsonObject:
        """Creates an object in the namespace."""
        return await self.client.create({"metadata": {"name": name, "namespace": self.namespace}, "spec": spec}, kind)

    async def deploy(self, name: str, manifests: list[Any]) -> JsonObject:
        """Creates a Workload on the runtime of the test."""
        return await self.create(WORKLOAD, name, {"manifests": manifests, "runtimeRef": {"name": self.runtime}})

    async def get(self, kind: Kind, name: str) -> JsonObject | None:
        """The object, None if it is gone."""
        return await self.client.find(kind, name, self.namespace if kind.namespaced else None)

    async def as_somebody_else(self, manifest: JsonObject, **spec: object) -> None:
        """Changes fields of an object in the cluster as another client does, by a merge patch."""
        await self.patch_as_somebody_else(manifest, {"spec": spec})

    async def patch_as_somebody_else(self, manifest: JsonObject, change: JsonObject, subresource: str = "") -> None:
        """The same for any part of it. The manifest says which object, its namespace included."""
        access, metadata = self.cluster.access, manifest["metadata"]
        with tempfile.TemporaryDirectory() as directory:
            files = {"ca": access.certificate_authority, "cert": access.client_certificate, "key": access.client_key}
            paths = {name: str(Path(directory, name)) for name, text in files.items() if text}
            for name, path in paths.items():
                Path(path).write_text(files[name] or "")
            settings = ClientSettings(
                url=access.endpoint, ca_file=paths.get("ca"), cert_file=paths.get("cert"), key_file=paths.get("key"),
                token=access.token, user_agent="somebody-else",
            )  # fmt: skip
            async with Client(settings) as client:
                namespace = metadata.get("namespace")
                await client.patch(_kind_of(manifest), metadata["name"], namespace, change, subresource=subresource)

    async def ready(self, kind: Kind, name: str, *, seconds: float = 120) -> JsonObject:
        """Waits until the object is Ready at its generation."""

        async def look() -> JsonObject | None:
            found = await self.get(kind, name)
            return found if found is not None and is_ready(found) else None

        return await self.until(look, seconds=seconds, why=lambda: self._state(kind, name))

    async def says(self, kind: Kind, name: str, reason: str, *, seconds: float = 120) -> str:
        """Waits until the ``Ready`` condition gives this reason; returns its message."""

        async def look() -> str | None:
            ready = condition(((await self.get(kind, name)) or {}).get("status"), READY)
            return str(ready["message"]) if ready is not None and ready["reason"] == reason else None

        return await self.until(look, seconds=seconds, why=lambda: self._state(kind, name))

    async def gone(self, kind: Kind, name: str, *, seconds: float = 120) -> None:
        """Waits until the object is no more."""

        async def look() -> bool:
            return await self.get(kind, name) is None

        await self.until(look, seconds=seconds, why=lambda: self._state(kind, name))

    async def until(
        self,
        look: Callable[[], Awaitable[T | None]],
        *,
        seconds: float = 120,
        why: Callable[[], Awaitable[object]] | None = None,
    ) -> T:
        """The first true value of `look`; fails with what `why` tells."""
        deadline = time.monotonic() + seconds
        while not (found := await look()):
            if time.monotonic() > deadline:
                told = await why() if why else ""
                logs = f"{self.plane.workload.log} {self.plane.runtime.log} {self.plane.agents.directory}"
                pytest.fail(f"not so within {seconds} s: {told}; logs: {logs}")
            await asyncio.sleep(0.1)
        return found

    async def _state(self, kind: Kind, name: str) -> object:
        found = await self.get(kind, name)
        return found and {"metadata": found["metadata"], "status": found.get("status")}


@pytest.fixture(scope="session")
async def admin(control_plane: ControlPlane) -> AsyncIterator[Client]:
    """A client of the administrator."""
    async with Client(control_plane.api.admin) as client:
        yield client


@asynccontextmanager
async def runtime_on(cluster: RealCluster, name: str, plane: ControlPlane, admin: Client) -> AsyncIterator[str]:
    """A runtime on a real kube-apiserver, taken out of it at the end."""
    access = access_from(cluster.kubeconfig)
    await ensure(admin, RUNTIME_DEFINITION, "kubeconfig", {"infraProvider": "kubeconfig"})
    await ensure(admin, RUNTIME, name, runtime_spec(access))
    yield name
    await admin.delete(RUNTIME, name)
    made = Space(admin, "", name, plane, Cluster(access))
    await made.gone(RUNTIME, name)
    await made.cluster.close()


@pytest.fixture(scope="session")
async def real_runtime(cluster: RealCluster, control_plane: ControlPlane, admin: Client) -> AsyncIterator[str]:
    """A runtime on a real kube-apiserver, that tests share: it has one agent."""
    async with runtime_on(cluster, "real", control_plane, admin) as name:
        yield name


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.cluster)])
def shared_runtime(request: pytest.FixtureRequest) -> str | None:
    """The runtime on the real cluster, or None for a simulated one of the test's own."""
    return None if request.param == "simulated" else str(request.getfixturevalue("real_runtime"))


SIMULATED_ONLY = pytest.mark.parametrize("shared_runtime", ["simulated"], indirect=True)
"""For tests to which it makes no difference how a cluster is made."""


@asynccontextmanager
async def simulated_runtime(plane: ControlPlane, admin: Client) -> AsyncIterator[str]:
    """A simulated cluster of a test's own."""
    name = f"sim-{uuid.uuid4().hex[:8]}"
    await ensure(admin, RUNTIME_DEFINITION, "simulated", {"infraProvider": "simulated"})
    await ensure(admin, RUNTIME, name, {"definitionRef": {"name": "simulated"}})
    yield name
    made = Space(admin, "", name, plane, Cluster(ClusterAccess(endpoint="https://unknown")))
    await admin.delete(RUNTIME, name)
    await made.gone(RUNTIME, name)


async def cluster_of(runtime: str, plane: ControlPlane, admin: Client) -> Cluster:
    """The administrator's access to the cluster of a runtime, as soon as that is Ready."""
    made = Space(admin, "", runtime, plane, Cluster(ClusterAccess(endpoint="https://unknown")))
    await made.ready(RUNTIME, runtime)
    access = access_of(await admin.get(RUNTIME, runtime, reveal=True))
    assert access is not None
    return Cluster(access)


@pytest.fixture
async def space(shared_runtime: str | None, control_plane: ControlPlane, admin: Client) -> AsyncIterator[Space]:
    """A namespace for one test, and a Ready runtime."""
    namespace = f"team-{uuid.uuid4().hex[:8]}"
    await admin.create({"metadata": {"name": namespace}}, NAMESPACE)
    own = simulated_runtime(control_plane, admin) if shared_runtime is None else nullcontext(shared_runtime)
    async with own as runtime:
        made = Space(admin, namespace, runtime, control_plane, await cluster_of(runtime, control_plane, admin))
        yield made
        await _empty(made)
        await made.cluster.close()


def _kind_of(manifest: JsonObject) -> Kind:
    group, _, version = manifest["apiVersion"].rpartition("/")
    plural = _PLURALS.get(manifest["kind"]) or f"{manifest['kind'].lower()}s"
    namespaced = bool(manifest["metadata"].get("namespace"))
    return Kind(kind=manifest["kind"], plural=plural, singular="", group=group, version=version, namespaced=namespaced)


async def _empty(space: Space) -> None:
    for kind in (WORKLOAD, INSTANCE, DEFINITION):
        found = (await space.client.list(kind, space.namespace)).items
        for obj in found:
            if not obj["metadata"].get("deletionTimestamp"):
                await space.client.delete(kind, obj["metadata"]["name"], space.namespace)
        for obj in found:
            await space.gone(kind, obj["metadata"]["name"])


def access_from(kubeconfig: Path) -> ClusterAccess:
    """The access of a kubeconfig with certificates in it."""
    content = yaml.safe_load(kubeconfig.read_text())
    server, user = content["clusters"][0]["cluster"], content["users"][0]["user"]

    def text(holder: dict[str, str], field: str) -> str:
        data = holder.get(f"{field}-data")
        return base64.b64decode(data).decode() if data else Path(holder[field]).read_text()

    return ClusterAccess(
        endpoint=server["server"],
        certificate_authority=text(server, "certificate-authority"),
        client_certificate=text(user, "client-certificate"),
        client_key=text(user, "client-key"),
    )


def runtime_spec(access: ClusterAccess) -> dict[str, Any]:
    """The spec of a runtime that is reached with a certificate."""
    return {
        "definitionRef": {"name": "kubeconfig"},
        "endpoint": access.endpoint,
        "certificateAuthority": access.certificate_authority,
        "clientCertificate": access.client_certificate,
        "clientKey": access.client_key,
    }


def administrator_of(access: ClusterAccess, directory: Path) -> ClientSettings:
    """How a client of ours gets in with the certificates of an access; they are written into `directory`."""
    files = {"ca": access.certificate_authority, "cert": access.client_certificate, "key": access.client_key}
    for name, text in files.items():
        (directory / name).write_text(text or "")
    return ClientSettings(
        url=access.endpoint,
        ca_file=str(directory / "ca"),
        cert_file=str(directory / "cert"),
        key_file=str(directory / "key"),
    )


async def ensure(client: Client, kind: Kind, name: str, spec: FrozenJson) -> None:
    """Creates the object unless it exists."""
    try:
        await client.create({"metadata": {"name": name}, "spec": spec}, kind)
    except AlreadyExists:
        pass


def sample(name: str) -> list[Any]:
    """The manifests of a sample, as text."""
    return [Path(__file__).parents[3].joinpath("samples", name, "manifests.yaml").read_text()]
