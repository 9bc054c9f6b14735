"""Everything of events that a server runs: connection, relay and hub, wired to each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from threeport.events.broker import Broker, BrokerSettings
from threeport.events.hub import Hub
from threeport.events.refresher import ChangeLog
from threeport.events.relay import Outbox, Relay
from threeport.events.timing import Timing
from threeport.store.records import StoredObject


@dataclass(frozen=True, slots=True)
class EventsHealth:
    """How events get about. `nats` lost and an old outbox mean: late, but nothing is lost."""

    nats: Literal["ok", "lost"]
    ready: bool
    """Whether the hub has read the database recently enough to serve watches."""
    refresh_age: float
    """Seconds since the last refresh began."""
    outbox_oldest_age: float
    """Age in seconds of the oldest change that JetStream has not acknowledged."""
    relay: Literal["ok", "lagging", "paused"]
    events: dict[str, int]
    """How many events have come from ``commit`` (of this process), ``stream`` and ``refresh``."""
    watches: int
    clock_offset: float
    """Seconds that this process's clock is ahead of the database's."""


class EventService:
    """A server's events: give `committed` to the store as its `on_commit`, and `hub` to the protocol."""

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        outbox: Outbox,
        changes: ChangeLog,
        clock: Callable[[], int],
        timing: Timing | None = None,
    ) -> None:
        self.broker = Broker(settings)
        self.relay = Relay(self.broker, outbox)
        self.hub = Hub(self.broker, changes, clock, lagging=lambda: self.relay.lagging, timing=timing)

    def committed(self, changes: Sequence[StoredObject]) -> None:
        """Tell everybody of these committed changes: other processes through the stream, this one's watches at once.

        Never waits and never fails.
        """
        self.relay.enqueue(changes)
        self.hub.publish(changes)

    async def open(self) -> None:
        """Start all of it; returns at once, whether NATS and the database are there or not."""
        await self.broker.open()
        await self.relay.open()
        await self.hub.open()

    async def close(self) -> None:
        """End the watches and stop, in the reverse order."""
        await self.hub.close()
        await self.relay.close()
        await self.broker.close()

    def health(self) -> EventsHealth:
        """A summary for readiness checks; asks nobody, so it may be called at any rate."""
        hub = self.hub.health()
        return EventsHealth(
            nats=hub.nats,
            ready=hub.ready,
            refresh_age=round(hub.refresh_age, 3),
            outbox_oldest_age=round(self.relay.oldest_age, 3),
            relay=self.relay.state,
            events=hub.events,
            watches=hub.watches,
            clock_offset=round(hub.clock_offset, 3),
        )
