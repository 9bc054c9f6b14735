"""Controllers that start: over instances that have converged, and over instances that nobody has looked at."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import asyncio
import re
import time
from typing import Final

from tests.bench.workloads.fleet import grown
from tests.bench.workloads.ground import Ground, load, named, until

SETTLING: Final = 10.0
"""Seconds for what follows upon the last look at an instance."""
WRITING: Final = ("create", "update", "patch", "apply", "delete", "deletecollection")


async def restart(ground: Ground) -> None:
    """Restarts the workload controller and sees what it asks and writes."""
    fleet, expected = ground.fleet, ground.sizes.instances
    before, requests, log = fleet.usage(), fleet.api_requests(), fleet.workloads[0].log
    read = log.stat().st_size
    fleet.stop_workload_controllers()
    fleet.start_workload_controllers(1)
    begun = time.monotonic()

    async def all_are_looked_at() -> bool:
        said = log.read_bytes()[read:].decode()
        return len(set(re.findall(r"WorkloadInstance (\S+): nothing to apply", said))) >= expected

    await until(all_are_looked_at)
    taken = time.monotonic() - begun
    await asyncio.sleep(SETTLING)
    print(f"\nrestart of the controller: {expected} instances looked at after {taken:.1f} s; {load()}")
    added = grown(requests, fleet.api_requests())
    writes = {key: n for key, n in added.items() if key.split()[0] in WRITING and "heartbeat" not in key}
    to_clusters = {key: n for key, n in fleet.cluster_requests().items() if key != "GET"}
    print(f"  writes: {sum(writes.values()):.0f} to the API {named(writes)}, to clusters {named(to_clusters) or 0}")
    ground.print_usage({key: value for key, value in before.items() if "workload" not in key}, expected)
    ground.print_requests(requests, expected)


async def cold(ground: Ground) -> None:
    """Lets a controller find all instances at once, and then delete them."""
    await ground.clear()
    await ground.converge("cold", ground.sizes.instances, shards=1)
    await ground.clear()
