"""A kopf operator with one small handler, for `tests.bench.kopf_objects`: prints a line when `COUNT` are handled.

COUNT=1000 [THREEPORT_API_URL=... ...] python -m tests.bench.kopf_operator
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

import kopf
import uvloop

from threeport.client import Client
from threeport.controller.environment import ControllerSettings, connection_info
from threeport.controller.lease import Lease
from threeport.controller.settings import configure

CONTROLLER = "test"


async def operate(count: int) -> None:
    """Runs the operator until it is told to stop."""
    settings = ControllerSettings.from_environment()
    registry = kopf.OperatorRegistry()
    handled = 0

    async with Client(settings.api) as client:
        lease = Lease(client, controller=CONTROLLER, shard=0, shards=1)
        api = settings.api
        if settings.has_door:
            await lease.acquire()
            api = api.with_prefix(lease.door)
            keeping = asyncio.create_task(lease.keep())

        @kopf.on.startup(registry=registry)
        async def set_up(settings: kopf.OperatorSettings, **_: Any) -> None:
            configure(settings, CONTROLLER)

        @kopf.on.login(registry=registry)
        async def log_in(**_: Any) -> kopf.ConnectionInfo:
            return connection_info(api)

        @kopf.on.create("threeport.io", "v1alpha1", "workloaddefinitions", registry=registry)
        async def handle(patch: kopf.Patch, meta: kopf.Meta, **_: Any) -> None:
            nonlocal handled
            patch.status["observedGeneration"] = meta["generation"]
            handled += 1
            if handled == count:
                usage = os.times()
                say(f"handled {time.time()} {usage.user + usage.system}")

        ready = asyncio.Event()
        asyncio.get_running_loop().create_task(_announce(ready))
        await kopf.operator(
            registry=registry, clusterwide=True, lifecycle=kopf.lifecycles.all_at_once, ready_flag=ready
        )
        if settings.has_door:
            keeping.cancel()


async def _announce(ready: asyncio.Event) -> None:
    await ready.wait()
    await asyncio.sleep(1)  # the flag says that kopf has started, not that its watches stand
    say("ready")


def say(line: str) -> None:
    """Tells the benchmark."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    kopf.configure(log_format=kopf.LogFormat.PLAIN, quiet=True)
    uvloop.run(operate(int(os.environ["COUNT"])))
