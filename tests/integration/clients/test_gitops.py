"""Argo CD's engine against the running API: it creates, compares, corrects and prunes an application."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fixtures.api import Api
from tests.integration.clients.gitops_agent import GitOps, gitops_agent
from threeport.client.client import Client
from threeport.resources.workload import WorkloadDefinition

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # its first run builds the engine
DEADLINE = 60.0


@pytest.fixture
async def gitops(kubeconfig: str, name: str) -> AsyncIterator[GitOps]:
    async with gitops_agent(kubeconfig, application=name, namespace="default") as agent:
        yield agent


async def _in_sync(gitops: GitOps, manifests: list[Any], *, differing: set[str] | None = None) -> None:
    """Waits until the agent, which learns by its watches, sees just that difference."""
    async with asyncio.timeout(DEADLINE):
        while await gitops.differing(manifests) != (differing or set()):
            await asyncio.sleep(0.1)


async def _gone(client: Client, name: str) -> None:
    """Waits for the end of a deletion in the foreground, which is how the agent prunes."""
    async with asyncio.timeout(DEADLINE):
        while await client.find(WorkloadDefinition, name, "default") is not None:
            await asyncio.sleep(0.1)


async def test_an_application_is_made_corrected_and_pruned(
    api: Api, gitops: GitOps, definition: dict[str, Any], name: str
) -> None:
    second = copy.deepcopy(definition)
    second["metadata"]["name"] = f"{name}-2"
    both, first_id, second_id = [definition, second], f"WorkloadDefinition/{name}", f"WorkloadDefinition/{name}-2"

    assert await gitops.differing(both) == {first_id, second_id}
    assert set(await gitops.sync(both)) == {first_id, second_id}
    await _in_sync(gitops, both)

    async with Client(api.admin) as client:
        await client.patch(WorkloadDefinition, name, "default", {"metadata": {"labels": {"test": "drifted"}}})
        await _in_sync(gitops, both, differing={first_id})
        assert "configured" in (await gitops.sync(both))[first_id]
        await _in_sync(gitops, both)
        assert (await client.get(WorkloadDefinition, name, "default")).metadata.labels == {"test": name}

        definition["spec"]["manifests"][0]["data"] = {"a": "b"}
        done = await gitops.sync([definition], server_side=True)
        assert "serverside-applied" in done[first_id]
        assert done[second_id].startswith("Pruned")
        await _in_sync(gitops, [definition])
        await _gone(client, f"{name}-2")

        assert first_id in await gitops.sync([])
        await _gone(client, name)
