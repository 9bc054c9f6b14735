"""The frame of the controllers that keep pods: one step towards what the object wants, then what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from threeport.common.types import JsonObject
from threeport.simulated.controllers.controller import itself_or_owner
from threeport.simulated.world import Entry, World
from threeport.store.records import Key


class PodSets(ABC):
    """A controller of one resource whose objects own pods."""

    resource: ClassVar[str]

    @property
    def resources(self) -> Sequence[str]:
        """The objects themselves, and their pods."""
        return (self.resource, "pods")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The object itself, or the one that owns the pod."""
        return itself_or_owner(self.resource, entry, world)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """One step, then the status."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting or self.is_over(entry):
            return None
        await self.step(entry, world)
        current = world.find(key)
        if current is not None:
            await world.set_status(current, self.status_of(current, world.owned(current.uid, "pods")))
        return None

    def is_over(self, entry: Entry) -> bool:
        """Whether nothing is to be done about the object any more."""
        return False

    @abstractmethod
    async def step(self, entry: Entry, world: World) -> None:
        """Makes and deletes the pods that can be made and deleted now."""

    @abstractmethod
    def status_of(self, entry: Entry, pods: Sequence[Entry]) -> JsonObject:
        """What the status says when these are the pods of the object."""
