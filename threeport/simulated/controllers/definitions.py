"""CustomResourceDefinitions become kinds, and take their objects with them when they go."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from threeport.common.types import JsonObject
from threeport.krm.metadata import timestamp
from threeport.simulated.controllers.pods import set_condition
from threeport.simulated.kinds.extensions import kind_of_definition
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

logger = logging.getLogger(__name__)

RESOURCE: Final = "customresourcedefinitions.apiextensions.k8s.io"


class Definitions:
    """Keeps the catalog of kinds in step with the definitions."""

    resources = (RESOURCE,)

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The definition itself."""
        return (entry.key,)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Adds the kind and says so, or deletes the objects of a kind that is gone, and then the kind."""
        entry = world.find(key)
        if entry is None:
            await self._retire(key.name, world)
            return None
        try:
            kind = kind_of_definition(entry.obj)
        except (KeyError, TypeError, StopIteration) as error:
            logger.warning("The definition %s cannot be served: %r", key.name, error)
            return None
        if world.catalog.by_resource(kind.resource) != kind:
            world.catalog.add(kind)
            await world.load(kind.resource)
        await world.set_status(entry, _status(entry, kind.version))
        return None

    async def _retire(self, resource: str, world: World) -> None:
        """The name of a definition is the resource of its kind."""
        for entry in world.all_of(resource):
            await world.delete(entry)
        world.catalog.remove(resource)


def _status(entry: Entry, version: str) -> JsonObject:
    known = entry.obj.get("status") or {}
    status: JsonObject = {
        "acceptedNames": entry.obj["spec"]["names"],
        "storedVersions": [version],
        "conditions": known.get("conditions") or [],
    }
    now = timestamp()
    set_condition(
        status, "NamesAccepted", value=True, reason="NoConflicts", message="no conflicts found", now=now
    )  # fmt: skip
    message = "the initial names have been accepted"
    set_condition(status, "Established", value=True, reason="InitialNamesAccepted", message=message, now=now)
    return status
