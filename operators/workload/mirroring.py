"""How the instance of a Workload is, shown in the Workload."""

from __future__ import annotations

from operators.workload.kinds import DEFINITION, WORKLOAD
from operators.workload.revisions import generation_of, holds_the_same, is_manual
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, Truth, condition, is_ready, set_condition
from threeport.controller.controller import Controller
from threeport.controller.events import record_event
from threeport.controller.status import write_status


async def mirror(controller: Controller, workload: FrozenJson, instance: FrozenJson, *, observed: bool = False) -> None:
    """Shows in the workload how its instance is. `observed` says that definition and instance have just been made what
    this generation of the workload asks for; else the workload may have changed since, and is not Ready for it."""
    news: list[FrozenJson] = []
    ahead = await _what_is_ahead(controller, instance)

    def change(status: JsonObject, seen: FrozenJson) -> None:
        news.clear()
        if seen["metadata"].get("deletionTimestamp"):
            return
        theirs = instance.get("status") or {}
        for name in ("health", "runtime", "readyResources"):
            status[name] = theirs.get(name)
        former = condition(status, READY)
        ready = condition(theirs, READY) or {"reason": "Deploying", "message": "The instance has just been made."}
        if observed:
            generation = workload["metadata"].get("generation")
            status["observedGeneration"] = max(generation or 0, status.get("observedGeneration") or 0) or None
        made = ahead or {"reason": ready.get("reason", ""), "message": ready.get("message", "")}
        truth: Truth = "True" if ahead is None and is_ready(instance) else "False"
        set_condition(status, READY, truth, generation=status.get("observedGeneration"), **made)
        if former is None or former.get("reason") != made["reason"]:
            news.append(made)

    written = await write_status(controller.client, WORKLOAD, workload, change)
    if written is not None and news and is_ready(written):
        await record_event(controller.client, written, controller=controller.name, **news[0])


async def _what_is_ahead(controller: Controller, instance: FrozenJson) -> JsonObject | None:
    """Reason and message if what the instance says of itself does not hold for its spec or, if it is Ready, for its
    present definition."""
    metadata, status = instance["metadata"], instance.get("status") or {}
    deploying = {"reason": "Deploying", "message": "The instance is being brought up to date."}
    if status.get("observedGeneration") != metadata.get("generation"):
        return deploying
    if not is_ready(instance):
        return None
    definition = await controller.client.find(DEFINITION, metadata["name"], metadata["namespace"])
    running = status.get("definitionGeneration")
    if definition is not None and running == generation_of(definition):
        return None
    if definition is None or not is_manual(definition):
        return deploying
    if await holds_the_same(controller, definition, running):
        return None
    return {
        "reason": "RolloutManual",
        "message": f"The instance runs revision {running} of {generation_of(definition)} until a person advances it: "
        f"tptctl rollout advance workloadinstance/{metadata['name']} -n {metadata['namespace']}",
    }
