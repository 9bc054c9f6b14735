"""What a controller is, and the queue that calls it."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from threeport.common.delays import retry_delay
from threeport.events.tasks import stop
from threeport.simulated.world import Entry, World
from threeport.store.records import Key, StaleRevision, StoreUnavailable

logger = logging.getLogger(__name__)

WORKERS: Final = 8
"""Objects that are looked at at the same time, per cluster."""

AGAIN: Final = 0.02
"""Seconds until a step that met a newer object is taken again."""


class Controller(Protocol):
    """Looks after the objects of some resources."""

    @property
    def resources(self) -> Sequence[str]:
        """Whose changes concern it; empty means all."""

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """Which of its objects to look at after a change of `entry`."""

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Takes one step towards what the object wants. Returns in how many seconds to look again without a change.

        May raise `StaleRevision`: it is then called again with newer objects.
        """


def itself_or_owner(resource: str, entry: Entry, world: World) -> tuple[Key, ...]:
    """What concerns a controller of `resource` whose objects own others: its own object, or the one that owns."""
    if entry.key.resource == resource:
        return (entry.key,)
    owner = world.find_uid(entry.controller or "")
    return (owner.key,) if owner and owner.key.resource == resource else ()


class ControllerQueue:
    """Calls controllers with the keys that concern them: each key once at a time, however often it was put in."""

    def __init__(self, controllers: Sequence[Controller], world: World) -> None:
        self._controllers = controllers
        self._world = world
        self._due: dict[tuple[int, Key], float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._busy: set[tuple[int, Key]] = set()
        self._failures: dict[tuple[int, Key], int] = {}
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(WORKERS)
        self._steps: set[asyncio.Task[None]] = set()

    def notice(self, entry: Entry) -> None:
        """An object has changed: every controller that it concerns looks at it."""
        for number, controller in enumerate(self._controllers):
            if not controller.resources or entry.key.resource in controller.resources:
                for key in controller.concerns(entry, self._world):
                    self._put(number, key, 0.0)

    async def run(self) -> None:
        """Calls controllers until cancelled."""
        try:
            while True:
                self._wake.clear()
                for number, key in self._ready():
                    await self._slots.acquire()
                    step = asyncio.create_task(self._step(number, key))
                    self._steps.add(step)
                    step.add_done_callback(self._steps.discard)
                await self._pause()
        finally:
            await stop(self._steps)

    def _put(self, number: int, key: Key, delay: float) -> None:
        due = _now() + delay
        if self._due.get((number, key), float("inf")) > due:
            self._due[number, key] = due
            heapq.heappush(self._heap, (due, number, key))
            self._wake.set()

    def _ready(self) -> list[tuple[int, Key]]:
        ready: list[tuple[int, Key]] = []
        held: list[tuple[float, int, Key]] = []
        while self._heap and self._heap[0][0] <= _now():
            due, number, key = heapq.heappop(self._heap)
            if self._due.get((number, key)) != due:
                continue
            if (number, key) in self._busy:
                held.append((due, number, key))
                continue
            del self._due[number, key]
            self._busy.add((number, key))
            ready.append((number, key))
        for item in held:
            heapq.heappush(self._heap, item)
        return ready

    async def _pause(self) -> None:
        waiting = [due for due, number, key in self._heap if (number, key) not in self._busy]
        try:
            # Not `wait_for`: in Python 3.11 it may swallow a cancellation that comes together with the event.
            async with asyncio.timeout(max(0.0, min(waiting) - _now()) if waiting else None):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _step(self, number: int, key: Key) -> None:
        controller = self._controllers[number]
        again: float | None
        try:
            again = await controller.reconcile(key, self._world)
            self._failures.pop((number, key), None)
        except StaleRevision:
            again = AGAIN
        except StoreUnavailable:
            again = self._backoff(number, key)
        except Exception:
            logger.exception("%s cannot be reconciled by %s", key, type(controller).__name__)
            again = self._backoff(number, key)
        finally:
            self._busy.discard((number, key))
            self._slots.release()
            self._wake.set()
        if again is not None:
            self._put(number, key, again)

    def _backoff(self, number: int, key: Key) -> float:
        failures = self._failures[number, key] = self._failures.get((number, key), -1) + 1
        return retry_delay(failures, first=0.2, longest=30)


def _now() -> float:
    return asyncio.get_running_loop().time()
