"""A crash after each single write of the workload controller: started again, it ends where an undisturbed one does."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from tests.cluster.provision import Cluster as Kubernetes
from tests.fixtures.api import new_api, settings_of
from tests.fixtures.controllers import Agents, ControllerProcess
from tests.fixtures.manifests import SERVICE, config_map
from tests.fixtures.running import running
from tests.fixtures.simulated import SimulatedProcess
from tests.integration.faults.crash_plane import MOST_WRITES, UNDISTURBED, Plane, comes_to, every_write
from tests.integration.faults.crashing import CrashingController
from tests.integration.faults.team import INSTANCE, NAMESPACE, REVISION, RUNTIME, WORKLOAD, Team
from tests.integration.operators.conftest import RUNTIME_DEFINITION, access_from, ensure, runtime_spec
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.client import Client
from threeport.controller.conditions import is_ready
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.runtime_access import access_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

FIRST: list[Any] = [config_map("settings", "red"), config_map("other", "red"), SERVICE]
SECOND: list[Any] = [config_map("settings", "blue"), config_map("more", "blue"), SERVICE]
"""One object changes, one comes, one goes, one stays. There are no pods: their ups and downs would only add time."""

STEP_ON_REAL_CLUSTERS = 3
"""On a simulated cluster a crash after each write is tried; on a real one, where deletions take time, each third."""


@pytest.fixture(scope="module")
async def plane(
    postgres_dsn: str,
    nats_url: str,
    identity_files: IdentityFiles,
    simulated_process: SimulatedProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Plane]:
    """The processes of a control plane, one by one."""
    home = tmp_path_factory.mktemp("crashes")
    api = new_api(settings_of(postgres_dsn, nats_url, identity_files), identity_files, home / "api")
    settings = {
        "THREEPORT_SIMULATED_URL": simulated_process.url,
        "THREEPORT_SIMULATED_TOKEN_FILE": str(simulated_process.directory / "token"),
        "THREEPORT_AGENT_DIR": str(home / "agents"),
    }
    runtimes = ControllerProcess(home / "runtimes", api, ("kubernetes-runtime",), settings)
    environment = ControllerProcess(home / "workload", api, ("workload",), {}).environment()
    controller = CrashingController(home / "workload", ("workload",), environment)
    with running(api.process, runtimes, Agents(home / "agents"), controller):
        async with Client(api.admin) as client:
            yield Plane(api, client, controller, postgres_dsn, "workload")


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.cluster)])
def kubernetes(request: pytest.FixtureRequest) -> Kubernetes | None:
    """First None, for a simulated cluster, then the real one."""
    return None if request.param == "simulated" else request.getfixturevalue("cluster")


@pytest.fixture
async def site(kubernetes: Kubernetes | None, plane: Plane) -> tuple[str, Cluster]:
    """A Ready runtime, and the administrator's access to its cluster."""
    if kubernetes is None:
        spec: dict[str, Any] = {"definitionRef": {"name": "simulated"}}
        await ensure(plane.client, RUNTIME_DEFINITION, "simulated", {"infraProvider": "simulated"})
    else:
        access = access_from(kubernetes.kubeconfig)
        spec = runtime_spec(access)
        await ensure(plane.client, RUNTIME_DEFINITION, "kubeconfig", {"infraProvider": "kubeconfig"})
    name = f"runtime-{uuid.uuid4().hex[:6]}"
    await ensure(plane.client, RUNTIME, name, spec)
    await Team(plane.client, "", name, Cluster(ClusterAccess(endpoint="https://unknown"))).ready(name, RUNTIME)
    found = access_of(await plane.client.get(RUNTIME, name, reveal=True))
    assert found is not None
    return name, Cluster(found)


class Life:
    """A workload that is created, changed and deleted, with a crash in each of these acts."""

    def __init__(self, plane: Plane, team: Team, expected: list[dict[str, object]]) -> None:
        self._plane, self._team = plane, team
        self.expected = expected
        """How it has to stand after creation and after the change; empty in the first life, which fills it in."""

    async def live(self, crash_after: int) -> int:
        """One life; each act has its crash after so many writes, if it has so many. Returns the number of crashes."""
        crashes = 0
        for act, manifests in enumerate((FIRST, SECOND)):
            self._plane.controller.die_after(crash_after)
            await self._team.apply("app", manifests)
            crashes += await self._plane.crashes_or(self._is_ready)
            await self._team.ready("app", seconds=60)
            await self._comes_to_stand(act)
        instance = await self._team.find(INSTANCE, "app")
        assert instance is not None
        self._plane.controller.die_after(crash_after)
        await self._team.delete("app")
        crashes += await self._plane.crashes_or(self._is_gone)
        await self._team.gone("app", seconds=60)
        await self._team.until(partial(self._has_left_nothing, instance["metadata"]["uid"]), seconds=30)
        return crashes

    async def _comes_to_stand(self, act: int) -> None:
        if len(self.expected) <= act:
            self.expected.append(await self._team.settled_picture("app"))
        await comes_to(partial(self._team.picture, "app"), self.expected[act], f"after a crash, act {act}")

    async def _is_ready(self) -> bool:
        found = await self._team.find(WORKLOAD, "app")
        return found is not None and is_ready(found)

    async def _is_gone(self) -> bool:
        return await self._team.find(WORKLOAD, "app") is None

    async def _has_left_nothing(self, uid: str) -> bool:
        kept = (await self._team.client.list(REVISION, self._team.namespace)).items
        return not kept and not await self._team.labelled(uid)


async def test_a_crash_after_any_write_changes_nothing_in_the_end(
    plane: Plane, site: tuple[str, Cluster], kubernetes: Kubernetes | None
) -> None:
    runtime, cluster = site
    expected: list[dict[str, object]] = []
    for writes in every_write(1 if kubernetes is None else STEP_ON_REAL_CLUSTERS):
        team = Team(plane.client, f"team-{uuid.uuid4().hex[:6]}", runtime, cluster)
        await plane.client.create({"metadata": {"name": team.namespace}}, NAMESPACE)
        crashes = await Life(plane, team, expected).live(writes)
        if writes != UNDISTURBED and not crashes:
            break
    else:
        pytest.fail(f"{MOST_WRITES} writes were not enough: what converges writes on and on")
    assert writes > 10
    await cluster.close()
