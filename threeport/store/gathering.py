"""Puts what many ask for at the same time into one statement, each with an answer of its own.

A round trip to the database costs more than what it carries: system calls on both sides, a commit, a flush of the
log. While one statement is under way, what is asked for gathers, and goes out with the next one. Nothing waits on
purpose: who asks alone is served at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from threeport.store.records import RowLocked, StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")

MOST: Final = 64
"""Items of one statement."""
PATIENCE: Final = 0.01
"""Seconds that an item waits for the statement before it, which may itself wait for a lock or a slow disk: then
another one is begun beside it."""
LANES: Final = 8
"""Statements at once."""


Run: TypeAlias = Callable[[Sequence[T]], Awaitable[Sequence[R]]]


@dataclass(slots=True)
class _Asked(Generic[T, R]):
    item: T
    answer: asyncio.Future[R]
    since: float
    running: bool = False
    """Whether its place is taken."""


class Gathering(Generic[T, R]):
    """Items of one sort. `run` gets some of them and returns a result for each, in order.

    Items for which `apart` gives the same value never run together, neither in one statement nor in two at once: they
    would wait for each other, and all others for them.

    `run` may raise `RowLocked` when others hold what one of the items needs. Which one it is shows when each is run by
    itself; those are run `patiently` then, so that nothing but themselves waits for the others.
    """

    def __init__(
        self,
        run: Run[T, R],
        *,
        apart: Callable[[T], Hashable] | None = None,
        patiently: Run[T, R] | None = None,
    ) -> None:
        self._run = run
        self._patiently = patiently or run
        self._apart = apart
        self._waiting: list[_Asked[T, R]] = []
        self._places: set[Hashable] = set()
        """What `apart` gives for the items that run."""
        self._lanes: set[asyncio.Task[None] | None] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, item: T) -> R:
        """The result for one item. Raises what `run` raises.

        Who is cancelled while it waits leaves open whether the item was run.
        """
        loop = asyncio.get_running_loop()
        asked: _Asked[T, R] = _Asked(item, loop.create_future(), loop.time())
        self._waiting.append(asked)
        if not self._lanes:
            self._open_lane()
        elif self._timer is None:
            self._timer = loop.call_later(PATIENCE, self._open_another)
        return await asked.answer

    def _open_lane(self) -> None:
        lane = asyncio.create_task(self._work())
        self._lanes.add(lane)

    def _open_another(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        remaining = self._waiting[0].since + PATIENCE - loop.time()
        if remaining <= 0 and len(self._lanes) < LANES:
            self._open_lane()
        self._timer = loop.call_later(max(remaining, PATIENCE), self._open_another)

    async def _work(self) -> None:
        batch: list[_Asked[T, R]] = []
        try:
            while batch := self._take():
                if locked := await self._serve(batch, self._run):
                    await self._serve(locked, self._patiently)
        finally:
            for asked in batch:
                asked.answer.cancel()
                self._leave(asked)
            self._lanes -= {asyncio.current_task()}

    def _take(self) -> list[_Asked[T, R]]:
        """The next items, less those that nobody waits for any more."""
        taken: list[_Asked[T, R]] = []
        left: list[_Asked[T, R]] = []
        for asked in self._waiting:
            place = None if self._apart is None else self._apart(asked.item)
            if len(taken) == MOST or (place is not None and place in self._places):
                left.append(asked)
            elif not asked.answer.done():
                taken.append(asked)
                asked.running = True
                if place is not None:
                    self._places.add(place)
        self._waiting = left
        return taken

    def _leave(self, asked: _Asked[T, R]) -> None:
        """The item has run: what must be kept apart from it may run now."""
        if asked.running and self._apart is not None:
            self._places.remove(self._apart(asked.item))
        asked.running = False

    async def _serve(self, batch: Sequence[_Asked[T, R]], run: Run[T, R]) -> list[_Asked[T, R]]:
        """Answers all but those that others hold up, which it returns."""
        try:
            results = await run([asked.item for asked in batch])
        except RowLocked as error:
            if len(batch) > 1:
                return await self._serve_each(batch, run)
            if run is not self._patiently:
                return [*batch]
            self._fail(batch[0], error)
        except StoreUnavailable as error:
            for asked in batch:
                self._fail(asked, type(error)(*error.args))
        except Exception as error:
            if len(batch) > 1:
                # One of them is to blame, and the others must not suffer for it.
                return await self._serve_each(batch, run)
            self._fail(batch[0], error)
        else:
            for asked, result in zip(batch, results, strict=True):
                self._leave(asked)
                if not asked.answer.done():
                    asked.answer.set_result(result)
        return []

    async def _serve_each(self, batch: Sequence[_Asked[T, R]], run: Run[T, R]) -> list[_Asked[T, R]]:
        held_up = await asyncio.gather(*(self._serve([asked], run) for asked in batch))
        return [asked for each in held_up for asked in each]

    def _fail(self, asked: _Asked[T, R], error: Exception) -> None:
        self._leave(asked)
        if not asked.answer.done():
            asked.answer.set_exception(error)
