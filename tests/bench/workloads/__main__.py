"""Reads the arguments and runs the phases."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from typing import Final, NoReturn

import tests.bench.workloads
from tests.bench.workloads.agent import agent
from tests.bench.workloads.fleet import fleet
from tests.bench.workloads.ground import CLUSTERS, Ground, Sizes
from tests.bench.workloads.observer import observing
from tests.bench.workloads.shards import shards
from tests.bench.workloads.starting import cold, restart
from tests.bench.workloads.steady import apply, idle
from threeport.client import Client

PHASES: Final[Mapping[str, Callable[[Ground], Awaitable[None]]]] = {
    "apply": apply,
    "idle": idle,
    "restart": restart,
    "cold": cold,
    "shards": shards,
    "agent": agent,
}
"""In the order in which they are run."""
ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIZES: Final = Sizes(instances=1000, runtimes=10, rate=10, idle=330, pods=5000, shard_instances=100, places=1)


async def run(sizes: Sizes, phases: Sequence[str]) -> None:
    """Runs the phases asked for."""
    with fleet(CLUSTERS) as made:
        async with Client(made.api.admin) as client, observing(client, made.accesses) as observer:
            ground = Ground(sizes=sizes, fleet=made, client=client, observer=observer)
            await ground.prepare()
            for phase in phases:
                await PHASES[phase](ground)


def end_in_order(*_: object) -> NoReturn:
    """Ends as Ctrl-C does, so that clusters and servers end, too. Once: `timeout` sends its signal twice."""
    for end in ENDS:
        signal.signal(end, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(
        description=tests.bench.workloads.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for field in fields(Sizes):
        default = getattr(SIZES, field.name)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--only", default=",".join(PHASES), help="phases, of " + ", ".join(PHASES))
    given = vars(parser.parse_args())
    phases = given.pop("only").split(",")
    for end in ENDS:
        signal.signal(end, end_in_order)
    asyncio.run(run(Sizes(**given), phases))


if __name__ == "__main__":
    main()
