"""Instances that come at a steady rate, and what they cost when they have come."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import asyncio
import time

from tests.bench.workloads.application import instances, names_of
from tests.bench.workloads.fleet import grown
from tests.bench.workloads.ground import Ground, load, named

LABEL = "steady"


async def apply(ground: Ground) -> None:
    """Creates instances at a steady rate."""
    count, rate, fleet = ground.sizes.instances, ground.sizes.rate, ground.fleet
    await ground.converge("first", len(ground.runtimes), shards=1)
    before, requests, begun = fleet.usage(), fleet.api_requests(), time.monotonic()
    for number, one in enumerate(instances(LABEL, count, ground.runtimes)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        await ground.create(one)
    names = names_of(LABEL, count)
    await ground.observer.all_ready(names)
    print(f"\n{count} instances at {rate}/s, {time.monotonic() - begun:.0f} s in all; {load()}")
    print(f"  create -> present in the cluster: {ground.observer.present(names)}")
    print(f"  create -> Ready:                  {ground.observer.ready(names)}")
    ground.print_usage(before, count)
    ground.print_requests(requests, count)


async def idle(ground: Ground) -> None:
    """Leaves everything alone."""
    seconds, count, fleet = ground.sizes.idle, ground.sizes.instances, ground.fleet
    before, requests, sent = fleet.usage(), fleet.api_requests(), fleet.cluster_requests()
    await asyncio.sleep(seconds)
    print(f"\n{count} instances converged, {seconds} s; {load()}")
    ground.print_usage(before, count)
    for what, added in (
        ("API", grown(requests, fleet.api_requests())),
        ("clusters", grown(sent, fleet.cluster_requests())),
    ):
        hourly = sum(added.values()) / count * 3600 / seconds
        print(f"  requests to {what}: {hourly:.1f} per instance and hour: {named(added)}")
