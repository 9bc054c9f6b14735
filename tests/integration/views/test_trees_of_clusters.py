"""Trees of instances on a cluster that is away, and of objects that bear one name in two namespaces."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.fixtures.api import Api
from tests.fixtures.control_plane import until
from tests.integration.views.conftest import Team
from tests.integration.views.test_access import Placed, _server
from threeport.cli.commands.tree import Growing
from threeport.client import Client
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadDefinition, WorkloadInstance

DEFINITION, INSTANCE = kind_of(WorkloadDefinition), kind_of(WorkloadInstance)


@pytest.fixture
async def placed(api: Api) -> AsyncIterator[Placed]:
    """An instance of one test."""
    async with Client(api.admin) as client:
        yield Placed(client)


async def test_a_cluster_that_is_away_is_asked_once_and_not_for_each_of_its_instances(
    api: Api, placed: Placed, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    async def away(request: web.Request) -> web.Response:
        asked.append(request.path)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    client, name = placed.client, placed.name
    async with _server(api, away) as cluster:
        await placed.on(cluster, api.ca_file.read_text())
        await placed.started()
        await Growing(client).of(INSTANCE, await client.get(INSTANCE, name, name))
        for_one = len(asked)
        asked.clear()
        for number in range(3):
            metadata = {"name": f"more-{number}", "namespace": name}
            spec = {"definitionRef": {"name": name}, "runtimeRef": {"name": name}}
            await client.create({"metadata": metadata, "spec": spec}, INSTANCE)
            await client.patch_status(INSTANCE, metadata["name"], name, {"runtime": name})
        tree = await Growing(client).of(DEFINITION, await client.get(DEFINITION, name, name))
    assert len(tree.children) == 4
    assert len(asked) == for_one > 0
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 2
    assert notes[0] == notes[1]
    assert f"Pods on {name} cannot be shown: Runtime {name}:" in notes[0]


def _objects(namespace: str, replicas: int) -> list[dict[str, Any]]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example.org/a:1"}]}}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
        },
    ]


async def test_pods_stand_below_the_object_of_their_own_namespace(team: Team) -> None:
    one, other = (f"space-{uuid.uuid4().hex[:8]}" for _ in range(2))
    team.deploy("shop", [*_objects(one, 1), *_objects(other, 3)], runtime="local")

    async def pods() -> list[int] | None:
        names = [line.lstrip("├└│─ ").split("/")[0] for line in team.ok("tree", "workload/shop").splitlines()]
        places = [place for place, name in enumerate(names) if name == "Deployment"]
        ends = [
            next((end for end in range(place + 1, len(names)) if names[end] != "Pod"), len(names)) for place in places
        ]
        found = sorted(end - place - 1 for place, end in zip(places, ends, strict=True))
        return found if sum(found) == 4 else None

    assert await until(pods, seconds=60, why=lambda: team.ok("tree", "workload/shop")) == [1, 3]
