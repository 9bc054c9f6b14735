"""How long a person waits: from the create of a small Workload until it is Ready, agent's report included.

tptctl up; python -m tests.bench.ready [--count 50] [--runtime NAME] [--control-plane NAME]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from contextlib import aclosing

from threeport.client import Client, ClientSettings
from threeport.controller.conditions import is_ready
from threeport.resources.model import kind_of
from threeport.resources.workload import Workload

WORKLOAD = kind_of(Workload)
NAMESPACE = "default"


async def measure(client: Client, name: str, runtime: str | None) -> float:
    """Seconds from the create until a watch shows the Workload Ready."""
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": "value"}}
    spec = {"manifests": [settings], **({"runtimeRef": {"name": runtime}} if runtime else {})}
    begin = time.perf_counter()
    created = await client.create({"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}, WORKLOAD)
    since = created["metadata"]["resourceVersion"]
    events = client.watch(WORKLOAD, NAMESPACE, since=since, field_selector=f"metadata.name={name}")
    async with aclosing(events):
        async for event in events:
            if is_ready(event.object):
                break
    return time.perf_counter() - begin


async def main() -> None:
    """Prints the median and the 95th percentile."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--runtime")
    parser.add_argument("--control-plane")
    arguments = parser.parse_args()
    async with Client(ClientSettings.from_config(arguments.control_plane)) as client:
        names = [f"bench-{number}" for number in range(arguments.count)]
        times = [await measure(client, name, arguments.runtime) for name in names]
        for name in names:
            await client.delete(WORKLOAD, name, NAMESPACE)
    p95 = statistics.quantiles(times, n=20)[-1]
    summary = f"median {statistics.median(times):.2f} s, p95 {p95:.2f} s ({arguments.count} workloads)"
    print(f"create -> Ready: {summary}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
