"""Kubernetes Events about what the simulation does."""

from __future__ import annotations

from typing import Literal

from threeport.common.types import JsonObject
from threeport.krm.metadata import timestamp
from threeport.simulated.world import Entry, World

COMPONENT = "simulated"


async def tell(
    world: World, about: Entry, reason: str, message: str, *, kind: Literal["Normal", "Warning"] = "Normal"
) -> None:
    """Writes an Event about an object, in its namespace."""
    now = timestamp()
    event: JsonObject = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{about.key.name}.", "namespace": about.key.namespace or "default"},
        "involvedObject": {
            "apiVersion": about.obj["apiVersion"],
            "kind": about.obj["kind"],
            "namespace": about.key.namespace,
            "name": about.key.name,
            "uid": about.uid,
        },
        "type": kind,
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
    }
    await world.create(event)
