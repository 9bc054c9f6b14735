"""From the agent's report to the health of an instance and its ``Ready`` condition."""

from __future__ import annotations

from typing import Final, NamedTuple

from operators.workload.kinds import INSTANCE, REPORT
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, Truth, condition, set_condition
from threeport.controller.controller import Controller
from threeport.controller.events import record_event
from threeport.controller.status import write_status
from threeport.resources.workload import report_name

AWAITING: Final = "AwaitingReport"
REASONS: Final = frozenset({"Healthy", "Progressing", "Degraded", "Down", "Unknown", AWAITING})
"""Reasons of ``Ready`` that are about health. A report replaces only these: others say that applying failed."""


class Verdict(NamedTuple):
    """How an instance is, with the reason and the sentence for its ``Ready`` condition."""

    health: str
    ready_resources: str | None
    ready: Truth
    reason: str
    message: str


def assess(status: FrozenJson, uid: str, report: FrozenJson | None) -> Verdict:
    """The verdict from a report, provided that it speaks of this very instance and of what was applied last."""
    spec = (report or {}).get("spec") or {}
    fits = (
        spec.get("instanceUid") == uid
        and spec.get("appliedHash") == status.get("appliedHash")
        and (spec.get("runtimeRef") or {}).get("name") == status.get("runtime")
    )
    if not fits:
        return Verdict("Unknown", None, "False", AWAITING, "Applied; the agent has not reported on it yet.")
    resources = spec.get("resources") or ()
    healthy = sum(resource.get("health") == "Healthy" for resource in resources)
    count = f"{healthy}/{len(resources)}"
    health = str(spec.get("health") or "Unknown")
    message = str(spec.get("message") or "") or f"{count} resources are healthy."
    return Verdict(health, count, "True" if health == "Healthy" else "False", health, message)


def put_verdict(status: JsonObject, verdict: Verdict, generation: int | None) -> None:
    """Writes the verdict into a status."""
    status["health"] = verdict.health
    status["readyResources"] = verdict.ready_resources
    set_condition(status, READY, verdict.ready, reason=verdict.reason, message=verdict.message, generation=generation)


async def report_on(controller: Controller, instance: FrozenJson, runtime: str | None) -> JsonObject | None:
    """The report about the instance, if its agent has written one."""
    if not runtime:
        return None
    metadata = instance["metadata"]
    name = report_name(metadata["name"], metadata["uid"], runtime)
    return await controller.client.find(REPORT, name, metadata["namespace"])


async def reported_instance(controller: Controller, report: FrozenJson) -> JsonObject | None:
    """The instance that a report is about, if it is there; another of the same name is another instance."""
    spec, namespace = report.get("spec") or {}, report["metadata"]["namespace"]
    name = (spec.get("instanceRef") or {}).get("name")
    found = await controller.client.find(INSTANCE, name, namespace) if name else None
    return found if found is not None and found["metadata"]["uid"] == spec.get("instanceUid") else None


async def roll_up(
    controller: Controller, instance: FrozenJson, report: FrozenJson | None, *, is_gone: bool = False
) -> JsonObject | None:
    """Brings health and ``Ready`` of the instance up to date with a report; tells of it if the reason is new.

    A report that `is_gone` has been deleted: nothing is known any more, unless it was of a place that was left.
    Returns the instance as it then is; None if nothing was written, perhaps because `instance` is an old copy.
    """
    news: list[Verdict] = []

    def change(status: JsonObject, seen: FrozenJson) -> None:
        news.clear()
        former = condition(status, READY)
        if seen["metadata"].get("deletionTimestamp") or former is None or former.get("reason") not in REASONS:
            return
        if report is not None and report["spec"]["runtimeRef"]["name"] != status.get("runtime"):
            return  # where it ran before, or the same cluster under another name: says nothing of here and now
        verdict = assess(status, seen["metadata"]["uid"], None if is_gone else report)
        put_verdict(status, verdict, former.get("observedGeneration"))
        if former.get("reason") != verdict.reason:
            news.append(verdict)

    written = await write_status(controller.client, INSTANCE, instance, change)
    if written is None or written["metadata"]["resourceVersion"] == instance["metadata"]["resourceVersion"]:
        return None
    if news:
        await tell(controller, written, news[0])
    return written


async def tell(controller: Controller, instance: FrozenJson, verdict: Verdict) -> None:
    """An Event about a change of health. That the first report is awaited is no news to anybody."""
    if verdict.reason == AWAITING:
        return
    await record_event(
        controller.client,
        instance,
        controller=controller.name,
        reason=verdict.reason,
        message=verdict.message,
        type="Warning" if verdict.health in ("Degraded", "Down") else "Normal",
    )
