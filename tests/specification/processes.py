"""An API process of the simulated world: a clock that is off, a hub, a sweeper, crashes and stalls."""

from __future__ import annotations

from tests.specification.hubs import SimulatedHub
from tests.specification.hubs_core import CoreHub
from tests.specification.hubs_ring import RingHub
from tests.specification.hubs_rules import RulesHub
from tests.specification.rules import SKEW, WRITES_END
from tests.specification.world import World
from threeport.common.revisions import SECOND, next_revision, revision_of

HUBS: dict[str, type[SimulatedHub]] = {"rules": RulesHub, "core": CoreHub, "ring": RingHub}


class Process:
    """One API process; a crash begins a new incarnation, in which nothing of the old one goes on."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.incarnation, self.alive, self.last = 0, True, 0
        self._stalled_until = 0
        self._skew = int(world.random.uniform(-SKEW, SKEW) * world.faults.skew)
        if number == 0 and not world.config.on("clock_guard"):
            self._skew = 30 * SECOND
        self.hub: SimulatedHub = HUBS[world.config.hub](world, self)
        world.after(world.random.randrange(SECOND), self._sweep, 0)

    def clock(self) -> int:
        """What this process takes for the time, as a revision."""
        return revision_of(max(0, self.world.now + self._skew), self.number)

    def stamp(self) -> int:
        """A revision for a write."""
        self.last = next_revision(self.last, self.clock(), self.number)
        return self.last

    def sql(self) -> bool:
        """Whether the database answers this process."""
        return self.world.now >= self._stalled_until

    def stall(self) -> None:
        """The database stops answering this process for a while; mostly its liveness probe kills it at the end."""
        world = self.world
        longest = world.random.choice((40, 40, 85)) * SECOND
        until = max(self._stalled_until, world.now + world.random.randrange(8 * SECOND, longest))
        self._stalled_until = min(until, WRITES_END + 30 * SECOND)  # every fault ends in time for the final check
        if world.chance(0.7):
            world.at(self._stalled_until - 1, self.crash)
        world.say(f"P{self.number} has no SQL until {self._stalled_until / SECOND:.1f}")

    def crash(self) -> None:
        """kill -9, and a restart soon."""
        if self.alive:
            self.world.say(f"P{self.number} crashes")
            self.incarnation, self.alive = self.incarnation + 1, False
            self.hub.close()
            self.world.after(self.world.random.randrange(100_000, 4 * SECOND), self._restart)

    def _restart(self) -> None:
        self.world.say(f"P{self.number} restarts")
        self.alive = True
        self.hub = type(self.hub)(self.world, self)
        self.world.after(SECOND, self._sweep, self.incarnation)

    def _sweep(self, incarnation: int) -> None:
        if self.incarnation == incarnation:
            world = self.world
            rows = [event for event, since in world.outbox.values() if world.now - since > 2 * SECOND]
            world.random.shuffle(rows)
            for event in rows:
                world.after(world.random.randrange(300_000), world.publish, self, incarnation, event)
            world.after(SECOND, self._sweep, incarnation)
