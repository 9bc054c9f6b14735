"""Every part killed with -9 in the middle of an apply, a change and a deletion: it ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.fixtures.control_plane import WholeControlPlane
from tests.fixtures.manifests import DEPLOYMENT, SERVICE, config_map
from tests.integration.faults.ledger import Ledger
from tests.integration.faults.team import INSTANCE, Team

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

COUNT = 40
"""ConfigMaps of the workload: enough that putting them into a cluster takes a while."""

PARTS = ["postgres", "nats", "api", "simulated", "controller-workload", "controller-kubernetes-runtime", "agent"]

Disturb = Callable[[Callable[[int], bool]], Awaitable[None]]
"""Does something bad when the function says so of the number of objects in the cluster that are as they shall be."""


def manifests_of(colour: str) -> list[Any]:
    """The workload; the second colour also has another number of replicas, one object more and one less."""
    deployment, maps = deepcopy(DEPLOYMENT), [config_map(f"map-{i}", colour) for i in range(COUNT)]
    if colour == "blue":
        deployment["spec"]["replicas"] = 1
        return [*maps, deployment, config_map("more", colour)]
    return [*maps, deployment, SERVICE]


class Progress:
    """How far a workload has come in its cluster."""

    def __init__(self, team: Team, name: str) -> None:
        self._team, self._name = team, name
        self.uid: str | None = None

    async def count(self, colour: str) -> int:
        """How many of its ConfigMaps have this colour."""
        if self.uid is None:
            instance = await self._team.find(INSTANCE, self._name)
            self.uid = instance["metadata"]["uid"] if instance else None
        if self.uid is None:
            return 0
        found = await self._team.cluster.list(
            "v1", "ConfigMap", label_selector=f"threeport.io/workload-instance={self.uid}"
        )
        return sum(one.get("data") == {"colour": colour} for one in found)

    async def reach(self, begun: Callable[[int], bool], colour: str) -> None:
        """Returns when the count is as `begun` says."""

        async def look() -> bool:
            return begun(await self.count(colour))

        await self._team.until(look)


async def live(team: Team, name: str, disturb: Callable[[], Awaitable[None]]) -> list[dict[str, object]]:
    """Applies, changes and deletes a workload, disturbing each when it has begun. Returns how it stood when Ready."""
    progress, pictures = Progress(team, name), []
    for colour in ("red", "blue"):
        await team.apply(name, manifests_of(colour))
        await progress.reach(lambda count: count > 0, colour)
        await disturb()
        await team.ready(name)
        pictures.append(await team.settled_picture(name))
    uid = (await team.find(INSTANCE, name) or {})["metadata"]["uid"]
    await team.delete(name)
    await progress.reach(lambda count: count < COUNT, "blue")
    await disturb()
    await team.gone(name)

    async def nothing_left() -> bool:
        return not await team.labelled(uid)

    await team.until(nothing_left)
    return pictures


async def undisturbed() -> None:
    """Nothing happens."""


@pytest.fixture(scope="module")
def expected() -> dict[str, list[dict[str, object]]]:
    """What undisturbed runs have ended as, by runtime; made once for each."""
    return {}


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_killed_in_the_middle_changes_nothing_in_the_end(
    whole: WholeControlPlane, team: Team, expected: dict[str, list[dict[str, object]]], part: str
) -> None:
    if part == "simulated" and team.runtime != "local":
        pytest.skip("no part of what a real cluster needs")
    if team.runtime not in expected:
        expected[team.runtime] = await live(team, "shop", undisturbed)
    component = f"agent-{team.runtime}" if part == "agent" else part
    killed: list[int] = []

    async def kill() -> None:
        # Killed twice in a row, a part needs a while to be there again.
        await whole.until(runs)
        killed.append(whole.kill(component))

    async def runs() -> bool:
        return whole.runs(component)

    ledger = Ledger(whole.client, f"ledger-{team.namespace}")
    async with ledger.being_kept():
        pictures = await live(team, "shop", kill)

        async def is_back() -> bool:
            return whole.is_back(component, killed[-1]) and whole.is_whole()

        await whole.until(is_back)
    for picture, wanted in zip(pictures, expected[team.runtime], strict=True):
        assert picture == wanted
    assert not (lost := await ledger.lost()), "\n".join(lost)
    assert ledger.acknowledged > 20
