"""Ready is a promise: whoever waits for it finds the change in the cluster."""

from __future__ import annotations

from tests.fixtures.manifests import config_map
from tests.integration.faults.team import INSTANCE, Team

CHANGES = 10


async def test_a_changed_workload_is_not_ready_before_the_change_is_in_the_cluster(team: Team) -> None:
    await team.apply("shop", [config_map("settings", "colour-0")])
    await team.ready("shop")
    for number in range(1, CHANGES):
        await team.apply("shop", [config_map("settings", f"colour-{number}")])
        await team.ready("shop")
        placed = ((await team.find(INSTANCE, "shop")) or {})["status"]["namespace"]
        found = await team.cluster.get("v1", "ConfigMap", "settings", placed)
        assert found is not None
        assert found["data"] == {"colour": f"colour-{number}"}
