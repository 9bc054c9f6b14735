"""kr8s against the running API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import kr8s.asyncio
import pytest
from kr8s.asyncio.objects import new_class

from tests.integration.clients.conftest import API_VERSION, PLURAL, READY, labelled

# kr8s says so of every version that is newer than itself.
pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported:UserWarning")

DEADLINE = 20


async def first_with_tier(obj: Any, tier: str) -> None:
    """Watches the object until it has this label."""
    async for _, seen in obj.watch():
        if seen.labels.get("tier") == tier:
            return


async def test_an_object_lives_its_life(kubeconfig: str, definition: dict[str, Any], name: str) -> None:
    api = await kr8s.asyncio.api(kubeconfig=kubeconfig)
    kind = new_class("WorkloadDefinition", API_VERSION, namespaced=True, plural=PLURAL)
    obj = await kind(definition, api=api)
    await obj.create()
    listed = [item.name async for item in api.get(f"{PLURAL}.threeport.io", namespace="default")]
    assert name in listed
    await obj.patch({"status": {"observedGeneration": 0}}, subresource="status")  # kr8s counts on some status
    watched = asyncio.create_task(first_with_tier(obj, "silver"))
    waiting = asyncio.create_task(obj.wait("condition=Ready", timeout=DEADLINE))
    await obj.patch(labelled("gold"))
    await obj.label(more="yes")
    await obj.patch(READY, subresource="status")
    await waiting
    definition["metadata"]["labels"]["tier"] = "silver"
    async with api.call_api(
        "PATCH", version=API_VERSION, namespace="default", url=f"{PLURAL}/{name}", content=json.dumps(definition),
        params={"fieldManager": "tests", "force": "true"}, headers={"Content-Type": "application/apply-patch+yaml"},
    ) as response:  # fmt: skip
        assert response.status_code == 200
    await asyncio.wait_for(watched, DEADLINE)
    await obj.refresh()
    assert obj.labels == {"test": name, "tier": "silver", "more": "yes"}
    going = asyncio.create_task(obj.wait("delete", timeout=DEADLINE))
    await obj.delete()
    await going
    assert not await obj.exists()
