"""Where kopf comes in: which change of which object starts which phase."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

import kopf

from operators.kubernetes_runtime.heartbeats import HEARTBEAT, LOOK_EVERY, agent_is_heard, look_at_agent
from operators.kubernetes_runtime.runtime import (
    DEFINITION,
    INSTANCE,
    definition_changed,
    reconcile_runtime,
    remove_runtime,
)
from operators.kubernetes_runtime.settings import RuntimeSettings
from threeport.controller.controller import Controller, lock_of
from threeport.controller.cycle import decide, run_cycle

CHECK_INTERVAL: Final = 60.0
"""Seconds between looks at a cluster that nobody touched. An outage never deletes anything."""

AWAY: Final = 20.0
"""Seconds, at most, between looks at a cluster that is away: workloads go on within a minute of its return."""

_OF_DEFINITIONS: Final = (DEFINITION.group, DEFINITION.version, DEFINITION.plural)
_OF_INSTANCES: Final = (INSTANCE.group, INSTANCE.version, INSTANCE.plural)

_OF_HEARTBEATS: Final = (HEARTBEAT.group, HEARTBEAT.version, HEARTBEAT.plural)

settings = RuntimeSettings.from_environment()


@kopf.on.create(*_OF_DEFINITIONS)
@kopf.on.update(*_OF_DEFINITIONS)
@kopf.on.resume(*_OF_DEFINITIONS)
async def accept_definition(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """A definition is complete as it is."""
    definition, controller = dict(body), _controller(memo)

    async def accept() -> str:
        sentence = f"Clusters of this definition come from the provider {definition['spec']['infraProvider']}."
        await decide(controller, DEFINITION, definition, "True", "Valid", sentence)
        woken = await definition_changed(controller, definition)
        return sentence + (f" Woke {woken} clusters that depend on it." if woken else "")

    await run_cycle(controller, DEFINITION, definition, retry, accept)


@kopf.on.create(*_OF_INSTANCES)
@kopf.on.update(*_OF_INSTANCES)
@kopf.on.resume(*_OF_INSTANCES)
async def connect(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Connects to a cluster and installs what belongs there."""
    await _reconcile(body, memo, retry)


@kopf.timer(*_OF_INSTANCES, interval=CHECK_INTERVAL, initial_delay=CHECK_INTERVAL)
async def check_again(body: kopf.Body, memo: kopf.Memo, **context: Any) -> None:
    """Looks whether the cluster still answers, and puts right what others changed."""
    if not body.metadata.get("deletionTimestamp"):
        await _reconcile(body, memo, context.get("retry", 0))


@kopf.timer(*_OF_INSTANCES, interval=LOOK_EVERY, initial_delay=LOOK_EVERY)
async def listen_for_agent(body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """Looks whether the agent still gives signs of life."""
    now = asyncio.get_running_loop().time()
    memo.heard = await look_at_agent(_controller(memo), dict(body), memo.get("heard"), now)


@kopf.on.event(*_OF_HEARTBEATS)
async def hear_agent(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """A sign of life, unless it is an old one that is only listed."""
    if event["type"] in ("ADDED", "MODIFIED"):
        await agent_is_heard(_controller(memo), event["object"])


@kopf.on.delete(*_OF_INSTANCES)
async def disconnect(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Takes the agent out of a cluster; a simulated cluster goes as a whole."""
    runtime, controller = dict(body), _controller(memo)
    async with lock_of(memo):
        await run_cycle(controller, INSTANCE, runtime, retry, partial(remove_runtime, controller, settings, runtime))


async def _reconcile(body: kopf.Body, memo: kopf.Memo, retry: int) -> None:
    runtime, controller = dict(body), _controller(memo)
    async with lock_of(memo):
        reconcile = partial(reconcile_runtime, controller, settings, runtime)
        await run_cycle(controller, INSTANCE, runtime, retry, reconcile, longest=AWAY)


def _controller(memo: kopf.Memo) -> Controller:
    controller: Controller = memo.controller
    return controller
