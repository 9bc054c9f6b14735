"""Brings committed changes to JetStream, out of the way of the requests that made them.

A change is handed over after its commit (`Relay.enqueue`) and published at once; its row in the outbox is deleted
when JetStream has acknowledged it. Whatever goes wrong in between - this process dies, NATS is away, the queue is
full - leaves the row, and the sweepers of all processes repeat rows that are older than some seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Literal, NamedTuple, Protocol

from nats.js.api import Header, PubAck

from threeport.events.broker import NATS_ERRORS, Broker
from threeport.events.message import Message, Reference, encode, message_id
from threeport.events.metrics import OUTBOX_AGE, RELAY_FAILURES
from threeport.events.tasks import start, stop
from threeport.store.records import Key, StoredObject, StoreUnavailable

logger = logging.getLogger(__name__)

CAPACITY: Final = 20_000
"""Changes that wait in memory; more are left to the sweepers."""
OVERDUE: Final = 2.0
"""Seconds after which a row of the outbox is repeated."""
SWEEP_INTERVAL: Final = 1.0
SWEEP_SIZE: Final = 1000
"""Rows repeated in one sweep."""
ACK_TIMEOUT: Final = 5.0
"""Seconds to wait for JetStream's acknowledgement."""
DELETE_SIZE: Final = 500
DELETE_DELAY: Final = 0.01
"""Seconds to gather acknowledged rows, so that they are deleted many at a time."""


class OutboxRow(Protocol):
    """A change that JetStream has not acknowledged yet."""

    @property
    def key(self) -> Key: ...
    @property
    def uid(self) -> str: ...
    @property
    def revision(self) -> int: ...


class Outbox(Protocol):
    """The table of notifications, written in the transactions of the changes. All raise `StoreUnavailable`."""

    async def pending(self, *, older_than: float, limit: int) -> Sequence[OutboxRow]:
        """The oldest rows of an age above `older_than` seconds."""

    async def delete(self, rows: Sequence[tuple[str, int]]) -> None:
        """Delete the rows of these (uid, revision), those that still exist."""

    async def oldest_age(self) -> float | None:
        """Age of the oldest row in seconds; None if there is none."""


class _Id(NamedTuple):
    uid: str
    revision: int


class Relay:
    """Publishes one process's changes, and sweeps up everybody's leftovers."""

    def __init__(self, broker: Broker, outbox: Outbox) -> None:
        self._broker = broker
        self._outbox = outbox
        self._queue: deque[Message] = deque()
        self._queued = asyncio.Event()
        self._underway: dict[_Id, float] = {}
        self._futures: dict[asyncio.Future[PubAck], float] = {}
        self._acknowledged: list[_Id] = []
        self._deletable = asyncio.Event()
        self._paused = False
        self._tasks: list[asyncio.Task[None]] = []
        self.oldest_age = 0.0
        """Age in seconds of the oldest row in the outbox, as of the last sweep."""

    @property
    def lagging(self) -> bool:
        """Whether the outbox holds changes that should long have been published."""
        return self.oldest_age > OVERDUE

    @property
    def state(self) -> Literal["ok", "lagging", "paused"]:
        """In a word: how the relay is doing."""
        if self._paused:
            return "paused"
        return "lagging" if self.lagging else "ok"

    def enqueue(self, changes: Sequence[StoredObject]) -> None:
        """Publish these committed changes soon. Never waits and never fails: what does not fit, the sweeper repeats."""
        if self._paused or not self._broker.connected:
            return
        room = CAPACITY - len(self._queue)
        self._queue.extend(changes[:room] if room < len(changes) else changes)
        self._queued.set()

    def pause(self) -> None:
        """Publish nothing until `resume`: watchers then live on refreshes."""
        self._paused = True
        self._queue.clear()

    def resume(self) -> None:
        """Publish again, starting with what has piled up in the outbox."""
        self._paused = False

    async def open(self) -> None:
        """Begin to publish and to sweep."""
        self._tasks = [
            start(self._publish(), "relay-publish"),
            start(self._delete(), "relay-delete"),
            start(self._sweep(), "relay-sweep"),
        ]

    async def close(self) -> None:
        """Stop at once. What is not acknowledged stays in the outbox for the others."""
        await stop(self._tasks)
        for future in tuple(self._futures):
            future.cancel()

    async def _publish(self) -> None:
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._queue:
                try:
                    await self._send(self._queue.popleft())
                except NATS_ERRORS as error:
                    RELAY_FAILURES.inc()
                    logger.debug("a change was not published, the sweeper will repeat it: %s", error)
                except Exception:
                    # One change that cannot be put into words must not stop all others; the sweeper's reference can.
                    RELAY_FAILURES.inc()
                    logger.exception("a change could not be published, the sweeper will send a reference to it")

    async def _send(self, change: Message) -> None:
        identity = _Id(change.uid, change.revision)
        future = await self._broker.jetstream().publish_async(
            self._broker.stream.subject_of(change.key),
            encode(change),
            headers={Header.MSG_ID: message_id(change.key.resource, *identity)},
        )
        deadline = time.monotonic() + ACK_TIMEOUT
        self._underway[identity] = self._futures[future] = deadline
        future.add_done_callback(partial(self._on_answer, identity))

    def _on_answer(self, identity: _Id, future: asyncio.Future[PubAck]) -> None:
        self._underway.pop(identity, None)
        self._futures.pop(future, None)
        if future.cancelled() or future.exception() is not None:
            RELAY_FAILURES.inc()
            return
        self._acknowledged.append(identity)
        self._deletable.set()

    async def _delete(self) -> None:
        while True:
            await self._deletable.wait()
            await asyncio.sleep(DELETE_DELAY)
            self._deletable.clear()
            rows, self._acknowledged = self._acknowledged, []
            for first in range(0, len(rows), DELETE_SIZE):
                try:
                    await self._outbox.delete(rows[first : first + DELETE_SIZE])
                except StoreUnavailable as error:
                    logger.debug("rows stay in the outbox, the sweeper will repeat them: %s", error)

    async def _sweep(self) -> None:
        while True:
            self._give_up_on_overdue()
            try:
                await self._sweep_once()
            except StoreUnavailable as error:
                logger.debug("the outbox cannot be read: %s", error)
            await asyncio.sleep(SWEEP_INTERVAL)

    async def _sweep_once(self) -> None:
        self.oldest_age = await self._outbox.oldest_age() or 0.0
        OUTBOX_AGE.set(self.oldest_age)
        if not self.lagging or self._paused or not self._broker.connected:
            return
        waiting = {_Id(change.uid, change.revision) for change in self._queue}
        for row in await self._outbox.pending(older_than=OVERDUE, limit=SWEEP_SIZE):
            identity = _Id(row.uid, row.revision)
            if identity not in self._underway and identity not in waiting:
                # Hubs have most likely learned of it by a refresh: a reference costs them nothing then.
                self._queue.append(Reference(row.key, row.uid, row.revision))
        self._queued.set()

    def _give_up_on_overdue(self) -> None:
        now = time.monotonic()
        for future in [future for future, deadline in self._futures.items() if deadline < now]:
            with suppress(asyncio.InvalidStateError):
                future.cancel()
