"""An agent with thousands of pods."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import asyncio

from tests.bench.workloads.application import LARGE, instance, names_of
from tests.bench.workloads.fleet import grown
from tests.bench.workloads.ground import PODS_EACH, Ground, load, named
from tests.bench.workloads.starting import WRITING


async def agent(ground: Ground) -> None:
    """Fills one cluster with pods, of one runtime, and looks at its agent."""
    await ground.clear()
    fleet, runtime = ground.fleet, ground.runtimes[0]
    fleet.start_workload_controllers(1)
    names = names_of(LARGE, ground.sizes.pods // PODS_EACH)
    for name in names:
        await ground.create(instance(name, runtime, LARGE))
    await ground.observer.all_ready(names)
    print(f"\n{len(names) * PODS_EACH} pods of one runtime: its agent; {load()}")
    print(f"  as they come:    {fleet.agent_usage(runtime)}")
    while await _reports_written(ground, 10):
        pass  # what the last pods did is news yet
    fleet.restart_agent(runtime)
    written = await _reports_written(ground, 60)
    print(f"  a minute after a restart: {fleet.agent_usage(runtime)}; writes to the API: {named(written) or 'none'}")


async def _reports_written(ground: Ground, seconds: float) -> dict[str, float]:
    """How many reports are written, by verb, from now on."""
    before = ground.fleet.api_requests()
    await asyncio.sleep(seconds)
    grew = grown(before, ground.fleet.api_requests())
    return {key: n for key, n in grew.items() if key.endswith("workloadreports") and key.startswith(WRITING)}
