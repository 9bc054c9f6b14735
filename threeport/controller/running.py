"""Running one controller for as long as the process lives: lease, operator, and again when either ends.

kopf gives up when the API stays away too long or refuses it; and it has to stop when the lease is lost. Neither ends
the controller: it starts anew, with a lease of a later epoch.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import kopf

from threeport.client import Client
from threeport.common.delays import retry_delay
from threeport.controller.controller import Controller
from threeport.controller.environment import ControllerSettings
from threeport.controller.lease import Lease, LeaseLost
from threeport.controller.metrics import PENDING

logger = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds that an operator has for its end; kopf gives handlers that are at work 5."""

STEADY = 60.0
"""Seconds after which an operator that ends counts as having worked: the next pause is short again."""


async def run_controller(
    name: str, registry: kopf.OperatorRegistry, settings: ControllerSettings, halt: asyncio.Event
) -> None:
    """Runs the controller until `halt` is set."""
    halted = asyncio.create_task(halt.wait(), name="halt")
    clock, failures = asyncio.get_running_loop().time, 0
    while not halt.is_set():
        begun = clock()
        try:
            async with Client(settings.api) as client:
                await _run_once(name, registry, client, settings, halted)
        except Exception as error:
            logger.warning("Controller %s ended and will start anew: %s", name, error or type(error).__name__)
        PENDING.forget(name)
        failures = 0 if clock() - begun > STEADY else failures + 1
        await asyncio.wait({halted}, timeout=retry_delay(failures, first=0.5, longest=30))


async def _run_once(
    name: str,
    registry: kopf.OperatorRegistry,
    client: Client,
    settings: ControllerSettings,
    halted: asyncio.Task[Any],
) -> None:
    controller = Controller(name=name, client=client, at_once=settings.reconciles)
    if not settings.has_door:
        await _operate(controller, registry, {halted})
        return
    lease = Lease(client, controller=name, shard=settings.shard, shards=settings.shards)
    acquiring = asyncio.create_task(lease.acquire(), name="acquire lease")
    await asyncio.wait({acquiring, halted}, return_when=asyncio.FIRST_COMPLETED)
    if not acquiring.done():
        acquiring.cancel()
        return
    acquiring.result()
    logger.info("Controller %s holds shard %d of %d, epoch %s", name, settings.shard, settings.shards, lease.epoch)
    controller.lease = lease
    keeping = asyncio.create_task(lease.keep(), name="keep lease")
    try:
        await _operate(controller, registry, {halted, keeping})
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await lease.release()


async def _operate(controller: Controller, registry: kopf.OperatorRegistry, ends: set[asyncio.Task[Any]]) -> None:
    """Runs the operator until it ends, or one of the tasks in `ends` does. Raises what ended it."""
    stop = asyncio.Event()
    operator = asyncio.create_task(
        kopf.operator(
            registry=registry,
            clusterwide=True,
            standalone=True,
            lifecycle=kopf.lifecycles.all_at_once,
            memo=kopf.Memo(controller=controller),
            stop_flag=stop,
        ),
        name=f"operator {controller.name}",
    )
    refused = asyncio.create_task(controller.refused.wait(), name="refused")
    try:
        await asyncio.wait({operator, refused, *ends}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        refused.cancel()
        await end(operator)
        await controller.clusters.close()
    for task in (*ends, operator):
        if task.done() and not task.cancelled() and isinstance(task.exception(), LeaseLost):
            logger.warning("Controller %s has lost its lease: %s", controller.name, task.exception())
    if operator.cancelled():
        raise TimeoutError("it did not stop by itself")
    operator.result()


async def end(operator: asyncio.Task[None], *, patience: float = PATIENCE) -> None:
    """Waits until an operator ends that has been told to; one that does not is abandoned after `patience` seconds.

    kopf cancels its watches once, and waits for them without a limit. Where that comes together with the timeout of a
    request, as in a process that was suspended for a while, aiohttp tells of the timeout only: the watch then waits for
    a login that nobody makes any more, and the controller hears of nothing.
    """
    await asyncio.wait({operator}, timeout=patience)
    while not operator.done():
        operator.cancel()
        await asyncio.wait({operator}, timeout=patience)
