"""One reading for all who ask for the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

R = TypeVar("R")

PATIENCE: Final = 1.0
"""Seconds that a reading waits for the one before it, which may hang."""


class Shared(Generic[R]):
    """What `read` returns, read once for all who ask before it begins. Who asks later may know of changes that it does
    not see, and shares the next one."""

    def __init__(self, read: Callable[[], Awaitable[R]]) -> None:
        self._read = read
        self._next: asyncio.Task[R] | None = None
        self._last: asyncio.Task[R] | None = None

    async def get(self) -> R:
        """The result of a reading that begins after the call. Raises what `read` raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._last))
        return await asyncio.shield(self._next)

    async def _read_after(self, last: asyncio.Task[R] | None) -> R:
        if last is not None and not last.done():
            await asyncio.wait([last], timeout=PATIENCE)
        self._last, self._next = self._next, None
        return await self._read()
