"""Letting an instance go without its objects: the cluster is gone for good, or they are to run on without Threeport."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from operators.workload.inventory import id_of
from operators.workload.placement import place_left
from operators.workload.teardown import forget
from threeport.common.types import FrozenJson
from threeport.controller.controller import Controller
from threeport.controller.events import record_event
from threeport.kube.errors import ClusterError

REASON: Final = "Abandoned"
NAMED: Final = 20
"""How many of the objects the Event names."""


async def abandon(controller: Controller, instance: FrozenJson, runtime: str, inventory: Sequence[FrozenJson]) -> str:
    """Tells what is left behind, in an Event, and the agent that it is nobody's any more, if it can be reached."""
    named = ", ".join(str(id_of(item)) for item in inventory[:NAMED])
    more = f" and {len(inventory) - NAMED} more" if len(inventory) > NAMED else ""
    message = f"Left in runtime {runtime}, as the annotation asks: {named}{more}"
    await record_event(
        controller.client, instance, controller=controller.name, reason=REASON, message=message, type="Warning"
    )
    await _tell_agent(controller, instance, runtime)
    return f"abandoned {len(inventory)} objects in runtime {runtime}, as its annotation asks; deleted"


async def _tell_agent(controller: Controller, instance: FrozenJson, runtime: str) -> None:
    metadata = instance["metadata"]
    try:
        place = await place_left(controller, runtime)
        if place is not None:
            controller.check_lease()
            await forget(place.cluster, metadata["name"], metadata["uid"])
    except ClusterError:
        return  # the cluster is away: that is why it is abandoned
