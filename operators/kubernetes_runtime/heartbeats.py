"""Whether the agent of a runtime lives: its heartbeat is watched, and a runtime whose agent is silent says so.

The agent's clock may be wrong. So what counts is when the heartbeat was seen to change, by our own clock, as the
controllers of Kubernetes judge nodes by their leases.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import Truth, condition, set_condition
from threeport.controller.controller import Controller
from threeport.controller.events import record_event
from threeport.controller.status import write_status
from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import AgentHeartbeat, KubernetesRuntimeInstance
from threeport.resources.model import kind_of

HEARTBEAT: Final[Kind] = kind_of(AgentHeartbeat)
RUNTIME: Final[Kind] = kind_of(KubernetesRuntimeInstance)

REPORTING: Final = "AgentReporting"
SILENT_AFTER: Final = 90.0
"""Seconds without a sign of life after which an agent counts as silent: three heartbeats."""
LOOK_EVERY: Final = 30.0


class Heard(NamedTuple):
    """The last sign of life, and since when (monotonic, seconds) it is the last one."""

    renewed: str | None
    since: float


class Verdict(NamedTuple):
    """What to say of the agent."""

    reporting: Truth
    reason: str
    message: str
    last_seen: str | None
    """Of an agent that is silent: of one that lives it would be old as soon as it is written."""


def heard_now(former: Heard | None, heartbeat: FrozenJson | None, now: float) -> Heard:
    """What is known after a look at the heartbeat."""
    renewed = str(heartbeat["spec"]["renewTime"]) if heartbeat is not None else None
    return former if former is not None and former.renewed == renewed else Heard(renewed, now)


def silence_of(heard: Heard, now: float) -> Verdict | None:
    """What to say of an agent that has been silent for too long; None while it may still be well."""
    if now - heard.since < SILENT_AFTER:
        return None
    stale = "what is said of the health of workloads here may be out of date"
    if heard.renewed is None:
        return Verdict("False", "NeverReported", f"No agent has ever reported from this cluster; {stale}.", None)
    look = "See whether it runs; its log says whom it cannot reach."
    message = f"The agent has been silent since {heard.renewed}; {stale}. {look}"
    return Verdict("False", "Silent", message, heard.renewed)


def sign_of_life(heartbeat: FrozenJson) -> Verdict:
    """What to say of an agent that has just been heard of."""
    name = heartbeat["metadata"]["name"]
    return Verdict("True", "Heard", f"The agent gives signs of life; AgentHeartbeat {name} tells the last one.", None)


async def look_at_agent(controller: Controller, runtime: FrozenJson, former: Heard | None, now: float) -> Heard:
    """Reads the heartbeat; a runtime whose agent is silent says so. Returns what is known now."""
    name = runtime["metadata"]["name"]
    heard = heard_now(former, await controller.client.find(HEARTBEAT, name), now)
    verdict = silence_of(heard, now)
    if verdict is not None:
        await _say(controller, runtime, verdict)
    return heard


async def agent_is_heard(controller: Controller, heartbeat: FrozenJson) -> None:
    """A sign of life has just come: the runtime says so, unless it does already."""
    runtime = await controller.client.find(RUNTIME, heartbeat["metadata"]["name"])
    if runtime is not None:
        await _say(controller, runtime, sign_of_life(heartbeat))


async def _say(controller: Controller, runtime: FrozenJson, verdict: Verdict) -> None:
    """Writes the condition where it changes; an agent that goes on as before is no news."""
    news: list[bool] = []

    def change(status: JsonObject, seen: FrozenJson) -> None:
        former = condition(status, REPORTING)
        known = former is not None and (former["status"], former["reason"]) == (verdict.reporting, verdict.reason)
        news[:] = [not known and not seen["metadata"].get("deletionTimestamp")]
        if news[0]:
            set_condition(status, REPORTING, verdict.reporting, reason=verdict.reason, message=verdict.message)
            status["agentLastSeen"] = verdict.last_seen

    written = await write_status(controller.client, RUNTIME, runtime, change)
    if written is not None and news[0]:
        await record_event(
            controller.client,
            written,
            controller=controller.name,
            reason=f"Agent{verdict.reason}",
            message=verdict.message,
            type="Normal" if verdict.reporting == "True" else "Warning",
        )
