"""lightkube against the running API."""

from __future__ import annotations

import asyncio
from typing import Any

import lightkube
import pytest
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.types import PatchType

from tests.integration.clients.conftest import GROUP, PLURAL, READY, VERSION, labelled

DEADLINE = 20


async def test_an_object_lives_its_life(kubeconfig: str, definition: dict[str, Any], name: str) -> None:
    kind = create_namespaced_resource(GROUP, VERSION, "WorkloadDefinition", PLURAL)
    client = lightkube.AsyncClient(lightkube.KubeConfig.from_file(kubeconfig), field_manager="tests")
    created = await client.create(kind(definition))
    assert [item.metadata.name async for item in client.list(kind, labels={"test": name})] == [name]
    events = client.watch(kind, fields={"metadata.name": name}, resource_version=created.metadata.resourceVersion)
    await client.patch(kind, name, labelled("gold"), patch_type=PatchType.MERGE)
    waiting = asyncio.create_task(client.wait(kind, name, for_conditions=["Ready"]))
    await client.patch(kind.Status, name, READY, patch_type=PatchType.MERGE)
    async with asyncio.timeout(DEADLINE):
        await waiting
    definition["metadata"]["labels"]["tier"] = "silver"
    applied = await client.apply(kind(definition), force=True)
    assert applied.metadata.labels["tier"] == "silver"
    await client.delete(kind, name)
    async with asyncio.timeout(DEADLINE):
        async for event, _ in events:
            if event == "DELETED":
                break
    with pytest.raises(ApiError, match="not found"):
        await client.get(kind, name)
    await client.aclose()
