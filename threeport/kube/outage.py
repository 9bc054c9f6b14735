"""Whether a cluster is away: after a request without an answer the others are refused at once, until it answers again.

Otherwise each object of a dead cluster would wait out the timeouts of a connection, and what waits for one cluster
would take the places of what could go on in others. While it is away, one small question at a time, asked beside the
requests, finds out whether it is back; a request waits for its answer no longer than a cluster that is there needs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from threeport.kube.errors import ClusterError, ClusterUnreachable

PAUSE: Final = 5.0
"""Seconds between two questions to a cluster that is away."""
PATIENCE: Final = 30.0
"""Seconds until a question counts as not answered: as many as a request has, or a cluster that is merely slow would be
away for ever. One to which no connection leads says so sooner."""
HOLD: Final = 1.0
"""Seconds that a request waits for the answer to a question."""


class Outage:
    """What is known of one cluster. `ask` sends the question, and raises a `ClusterError` as any request does."""

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask
        self._answered = time.monotonic()
        self._why: str | None = None
        self._look_again = 0.0
        self._question: asyncio.Task[None] | None = None

    async def admit(self) -> None:
        """Returns at once unless the cluster is away; then after `HOLD` at most, if it turns out to be back.

        Raises the `ClusterUnreachable` of an earlier request otherwise.
        """
        if self._why is None:
            return
        if self._question is None and time.monotonic() >= self._look_again:
            self._question = asyncio.create_task(self._look(), name="ask whether a cluster is back")
        if self._question is not None:
            await asyncio.wait({self._question}, timeout=HOLD)
        self.check()

    def check(self) -> None:
        """Raises `ClusterUnreachable` if the cluster is away."""
        if self._why is not None:
            raise ClusterUnreachable(self._why)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Encloses a request, to learn from it."""
        begun = time.monotonic()
        try:
            yield
        except ClusterUnreachable as error:
            if self._answered <= begun:
                self._why, self._look_again = str(error), time.monotonic() + PAUSE
            raise
        except ClusterError:
            self._hear()
            raise
        else:
            self._hear()

    def close(self) -> None:
        """Asks no more."""
        if self._question is not None:
            self._question.cancel()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                with self.request():
                    await self._ask()
        except (ClusterError, TimeoutError):
            self._look_again = time.monotonic() + PAUSE
        finally:
            self._question = None

    def _hear(self) -> None:
        self._answered, self._why = time.monotonic(), None
