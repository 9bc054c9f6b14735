"""Controllers that are told old news, late, twice and in the wrong order: they end right and never go back."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.fixtures.api import Api, new_api, settings_of
from tests.fixtures.controllers import Agents, ControllerProcess
from tests.fixtures.manifests import SERVICE, config_map
from tests.fixtures.simulated import SimulatedProcess
from tests.fixtures.stale_watches import StaleWatches, stale_watches
from tests.integration.faults.crash_plane import comes_to
from tests.integration.faults.team import INSTANCE, NAMESPACE, RUNTIME, WORKLOAD, Team
from tests.integration.operators.conftest import RUNTIME_DEFINITION, ensure
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.client import Client, ClientSettings
from threeport.common.types import JsonObject
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.runtime_access import access_of
from threeport.resources.kind import Kind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

COLOURS = ("red", "green", "blue")
CONTROLLERS = ("workload", "kubernetes-runtime")
CONFIG_MAP = Kind(kind="ConfigMap", plural="configmaps", singular="", group="", version="v1")


@dataclass
class Plane:
    """An API, and controllers that reach it by way of proxies, or straight."""

    api: Api
    client: Client
    proxies: list[StaleWatches]


@asynccontextmanager
async def new_plane(settings: dict[str, str], api: Api, home: Path, *, seed: int | None) -> AsyncIterator[Plane]:
    """The processes; without a seed the news are as they should be."""
    agents = Agents(home / "agents")
    with ExitStack() as stack:
        api.process.start()
        stack.callback(api.process.stop)
        proxies = []
        for number, name in enumerate(CONTROLLERS):
            way = dict(settings)
            if seed is not None:
                proxies.append(stack.enter_context(stale_watches(api, name, seed + number)))
                way["THREEPORT_API_URL"] = proxies[-1].url
                way["THREEPORT_AGENT_API_URL"] = api.url
            process = ControllerProcess(home / name, api, (name,), way)
            process.start()
            stack.callback(process.stop)
        agents.start()
        stack.callback(agents.stop)
        async with Client(api.admin) as client:
            yield Plane(api, client, proxies)


@pytest.fixture
def make_plane(
    postgres_dsn: str, nats_url: str, identity_files: IdentityFiles, simulated_process: SimulatedProcess, tmp_path: Path
) -> Callable[[int | None], Any]:
    """Makes a control plane; the argument is the seed of its disorder."""

    def make(seed: int | None) -> Any:
        home = tmp_path / str(seed)
        api = new_api(settings_of(postgres_dsn, nats_url, identity_files), identity_files, home / "api")
        settings = {
            "THREEPORT_SIMULATED_URL": simulated_process.url,
            "THREEPORT_SIMULATED_TOKEN_FILE": str(simulated_process.directory / "token"),
            "THREEPORT_AGENT_DIR": str(home / "agents"),
        }
        return new_plane(settings, api, home, seed=seed)

    return make


async def new_team(plane: Plane) -> Team:
    """A namespace, and a runtime, which each plane calls alike."""
    name = "place"
    await ensure(plane.client, RUNTIME_DEFINITION, "simulated", {"infraProvider": "simulated"})
    await ensure(plane.client, RUNTIME, name, {"definitionRef": {"name": "simulated"}})
    await Team(plane.client, "", name, Cluster(ClusterAccess(endpoint="https://unknown"))).ready(name, RUNTIME)
    access = access_of(await plane.client.get(RUNTIME, name, reveal=True))
    assert access is not None
    team = Team(plane.client, f"team-{uuid.uuid4().hex[:6]}", name, Cluster(access))
    await plane.client.create({"metadata": {"name": team.namespace}}, NAMESPACE)
    return team


Note: TypeAlias = Callable[[str, JsonObject], None]


class History:
    """What has become of some things, in the order in which it did: read from watches that are exact."""

    def __init__(self) -> None:
        self.colours: list[str] = []
        self.revisions: list[int] = []

    def of_cluster(self, event: str, obj: JsonObject) -> None:
        if obj["metadata"]["name"] == "settings" and event != "DELETED":
            _append(self.colours, obj["data"]["colour"])

    def of_api(self, event: str, obj: JsonObject) -> None:
        if event != "DELETED":
            _append(self.revisions, int((obj.get("status") or {}).get("definitionGeneration") or 0))


def _append(history: list[Any], value: Any) -> None:
    if history[-1:] != [value]:
        history.append(value)


@asynccontextmanager
async def recorded(team: Team, ca_file: str) -> AsyncIterator[History]:
    """Writes down what becomes of the ConfigMap in the cluster, and of the instance in the API."""
    history, access = History(), team.cluster.access
    settings = ClientSettings(url=access.endpoint, ca_file=ca_file, token=access.token)

    async def follow(
        client: Client, kind: Kind, namespace: str | None, note: Callable[[str, JsonObject], None]
    ) -> None:
        async with aclosing(client.watch(kind, namespace)) as events:
            async for event in events:
                note(event.type, event.object)

    async with Client(settings) as cluster:
        tasks = [
            asyncio.create_task(follow(cluster, CONFIG_MAP, None, history.of_cluster)),
            asyncio.create_task(follow(team.client, INSTANCE, team.namespace, history.of_api)),
        ]
        try:
            yield history
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def written(team: Team, uid: str) -> dict[str, JsonObject]:
    """All objects of the instance in the cluster: a write changes their revision, if nothing else."""
    return {f"{one['kind']} {one['metadata']['name']}": one for one in await team.labelled(uid)}


async def live(plane: Plane, expected: list[dict[str, object]], *, again: Callable[[], None]) -> None:
    """A workload is created, changed twice and deleted, and created and deleted once more under the same name.

    Each time it comes to stand as `expected`, which the first life fills in.
    """
    team, known, stands = await new_team(plane), bool(expected), itertools.count()

    async def comes_to_stand() -> None:
        if not known:
            expected.append(await team.settled_picture("app"))
        number = next(stands)
        await comes_to(partial(team.picture, "app"), expected[number], f"old news, picture {number}")

    for _ in range(2):
        async with recorded(team, str(plane.api.ca_file)) as history:
            for colour in COLOURS:
                await team.apply("app", [config_map("settings", colour), config_map(f"only-{colour}", colour), SERVICE])
                await team.ready("app")
                await comes_to_stand()
            instance = await team.find(INSTANCE, "app")
            assert instance is not None
            uid = instance["metadata"]["uid"]
            before = await written(team, uid)
            again()
            await comes_to_stand()
            changed = {name: obj for name, obj in (await written(team, uid)).items() if before.get(name) != obj}
            assert changed == {}, f"written because of old news; before: {[before.get(name) for name in changed]}"
        assert history.colours == list(COLOURS)
        assert history.revisions == sorted(history.revisions)
        await team.delete("app")
        await team.gone("app")
        again()

        async def nothing_left(uid: str = uid) -> bool:
            return not await team.labelled(uid)

        await team.until(nothing_left)
        assert await team.find(WORKLOAD, "app") is None
    await plane.client.delete(RUNTIME, team.runtime)

    async def runtime_is_gone() -> bool:
        return await team.find(RUNTIME, team.runtime) is None

    await team.until(runtime_is_gone)
    await team.cluster.close()


async def test_old_news_change_nothing_in_the_end_and_nothing_goes_back_meanwhile(
    make_plane: Callable[[int | None], Any],
) -> None:
    expected: list[dict[str, object]] = []
    async with make_plane(None) as plane:
        await live(plane, expected, again=lambda: None)
    async with make_plane(2026) as plane:

        def again() -> None:
            for proxy in plane.proxies:
                proxy.tell_all_again()

        await live(plane, expected, again=again)
        assert all(proxy.old_lines > 20 for proxy in plane.proxies)
