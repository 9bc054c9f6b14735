"""Workloads from apply to delete, on a simulated cluster, with every process real."""

from __future__ import annotations

from tests.integration.operators.conftest import DEFINITION, INSTANCE, WORKLOAD, Space, sample

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "red"}}


async def test_a_workload_becomes_ready_and_leaves_nothing_when_it_is_deleted(space: Space) -> None:
    await space.deploy("shop", [CONFIG])
    workload = await space.ready(WORKLOAD, "shop")
    assert workload["status"]["health"] == "Healthy"
    assert workload["status"]["readyResources"] == "2/2"
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    for kind in (WORKLOAD, INSTANCE, DEFINITION):
        await space.gone(kind, "shop")


async def test_wordpress_becomes_ready(space: Space) -> None:
    await space.deploy("wordpress", sample("wordpress"))
    await space.ready(WORKLOAD, "wordpress")
