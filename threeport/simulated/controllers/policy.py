"""Autoscalers and disruption budgets: said to be in order; nothing is scaled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from threeport.common.types import JsonObject
from threeport.krm.metadata import timestamp
from threeport.simulated.controllers.pods import set_condition
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

BUDGETS: Final = "poddisruptionbudgets.policy"
AUTOSCALERS: Final = "horizontalpodautoscalers.autoscaling"


class Policies:
    """Writes the statuses that others wait for."""

    resources = (BUDGETS, AUTOSCALERS)

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The object itself."""
        return (entry.key,)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Writes the status once per generation."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting:
            return None
        known = entry.obj.get("status") or {}
        if known.get("observedGeneration") == entry.stored.generation:
            return None
        status: JsonObject = {
            "observedGeneration": entry.stored.generation,
            "conditions": known.get("conditions") or [],
        }
        if key.resource == AUTOSCALERS:
            for kind in ("AbleToScale", "ScalingActive"):
                message = "simulated: nothing is measured and nothing is scaled"
                set_condition(status, kind, value=True, reason="Simulated", message=message, now=timestamp())
        else:
            status.update(currentHealthy=0, desiredHealthy=0, disruptionsAllowed=0, expectedPods=0)
        await world.set_status(entry, status)
        return None
