"""What all simulated hubs have in common: they follow the stream with lag, and are asked for watches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from threeport.common.revisions import SECOND
from threeport.store.records import Bookmark, StoredObject

if TYPE_CHECKING:
    from tests.specification.processes import Process
    from tests.specification.world import World


class SimulatedWatch(Protocol):
    """What a client sees of a watch."""

    open: bool

    def pop(self) -> StoredObject | Bookmark | None:
        """The next item, or None."""


Done = Callable[["SimulatedWatch | None"], None]
"""Called with the watch, or with None for 410."""


class SimulatedHub(ABC):
    """Reads the stream in order, with lag."""

    def __init__(self, world: World, process: Process) -> None:
        self.world, self.process, self.closed = world, process, False
        self._epoch, self._position = world.stream_epoch, len(world.stream)
        world.after(world.random.randrange(1, 200_000), self._tick_poll)

    @abstractmethod
    def consume(self, event: StoredObject) -> None:
        """A message of the stream has come."""

    def committed(self, event: StoredObject) -> None:
        """The process has committed this; what a hub cannot take now comes by the stream or by a refresh."""
        if self.accepts_messages() or not self.world.config.on("own_fence"):
            self.consume(event)

    @abstractmethod
    def watch(self, since: int, done: Done) -> None:
        """A client asks for a watch."""

    @abstractmethod
    def cut_watches(self) -> None:
        """End all watches."""

    def list_revision(self) -> int:
        """The revision to answer a LIST with."""
        return self.process.clock()

    def accepts_messages(self) -> bool:
        """Whether messages are taken from the stream now; otherwise they are left in it."""
        return True

    def close(self) -> None:
        """The process has died."""
        self.closed = True
        self.cut_watches()

    def wake(self) -> None:
        """There is a message in the stream: it arrives a little later, or much."""
        world = self.world
        lagging = world.chance(world.faults.lag)
        world.after(world.random.randrange(3 * SECOND) if lagging else world.random.randrange(1000, 60_000), self._poll)

    def _poll(self) -> None:
        if self.closed:
            return
        world = self.world
        if self._epoch != world.stream_epoch:
            self._epoch, self._position = world.stream_epoch, 0
        while world.now >= world.nats_down_until and self._position < len(world.stream) and self.accepts_messages():
            self._position += 1
            self.consume(world.stream[self._position - 1])

    def _tick_poll(self) -> None:
        self._poll()
        if not self.closed:
            self.world.after(SECOND // 2, self._tick_poll)
