"""What two shards of the controller gain over one where clusters are far away.

On a machine whose cores are busy with one shard already, a second one has nothing to gain. So both get few `places`
for reconciles under way, and instances without pods, which cost Kubernetes half as much: what bounds them then is how
long a cluster takes to answer, and the cores stay idle in part.
"""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

from typing import Final

from tests.bench.workloads.application import BARE
from tests.bench.workloads.ground import Ground

DELAY: Final = 0.05
"""Seconds of round trip that are added to clusters."""


async def shards(ground: Ground) -> None:
    """Compares one shard with two; then one shard with as many places as it has by default."""
    count, places = ground.sizes.shard_instances, ground.sizes.places
    await ground.move_clusters(afar=True)
    paces = []
    for number, given in ((1, places), (2, places), (1, None)):
        await ground.clear()
        _put_clusters_at(ground, DELAY)
        label = f"{number}-of-{given or 'all'}"
        paces.append(await ground.converge(label, count, shards=number, places=given, definition=BARE))
        _put_clusters_at(ground, 0.0)
        ground.fleet.stop_workload_controllers()  # those that delete the instances have their usual places
    await ground.clear()
    await ground.move_clusters(afar=False)
    print(f"  with {places} places each, two shards are {paces[1] / paces[0]:.2f} times as fast as one;")
    print(f"  one shard with its usual places is {paces[2] / paces[0]:.2f} times as fast as with {places}")


def _put_clusters_at(ground: Ground, seconds: float) -> None:
    for distance in ground.fleet.distances:
        distance.seconds = seconds
