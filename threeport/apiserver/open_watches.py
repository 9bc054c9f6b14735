"""The watches that are open, so that they can be ended: at shutdown, and when the right to watch has passed.

A watch outlives the check that let it in. It ends with the credentials that it was opened with, with the lease of its
controller, and with the process; the client then comes again and is told why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from threeport.apiserver.authentication import Credentials
from threeport.apiserver.metrics import REFUSED
from threeport.common.errors import ApiError, TooManyRequests, Unauthorized
from threeport.store.records import Fence

RETRY_AFTER = 1
"""Seconds after which a watcher that was sent away may come again."""


@dataclass(slots=True, eq=False)
class OpenWatch:
    """One watch: who holds it, by which lease, and the scope that ends it."""

    credentials: Credentials
    fence: Fence | None
    scope: asyncio.Timeout
    why: ApiError

    def cut(self, why: ApiError) -> None:
        """Ends the watch now, unless it is ending already. `why` is the answer, should none have begun."""
        if self.scope.expired():
            return
        self.why = why
        self.scope.reschedule(asyncio.get_running_loop().time())


class OpenWatches:
    """All open watches of this process, at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: set[OpenWatch] = set()

    @asynccontextmanager
    async def opened(self, request: web.Request, credentials: Credentials, fence: Fence | None) -> AsyncIterator[None]:
        """The life of one watch. Raises `TooManyRequests` if there are too many, or what it was cut with.

        When an answer has begun, the connection is closed instead (`ConnectionResetError`).
        """
        if len(self._open) >= self._limit:
            REFUSED.labels("watches").inc()
            raise TooManyRequests(f"This API server holds {self._limit} watches already.", retry_after=RETRY_AFTER)
        expired = Unauthorized("The credentials have expired: get new ones.")
        remaining = credentials.expires - time.time()
        scope = asyncio.timeout(remaining if remaining < _FAR_AWAY else None)
        watch = OpenWatch(credentials, fence, scope, expired)
        self._open.add(watch)
        try:
            async with scope:
                yield
        except TimeoutError as error:
            if not scope.expired():
                raise
            if request.writer.output_size:
                raise ConnectionResetError("the watch was cut") from error
            raise watch.why from error
        finally:
            self._open.discard(watch)

    def cut(self, why: ApiError, *, which: Callable[[OpenWatch], bool] = lambda _: True) -> int:
        """Ends the watches that `which` picks; how many these were."""
        picked = [watch for watch in self._open if which(watch)]
        for watch in picked:
            watch.cut(why)
        return len(picked)

    def fences(self) -> set[Fence]:
        """The leases by which controllers watch."""
        return {watch.fence for watch in self._open if watch.fence is not None}

    def holders(self) -> set[Credentials]:
        """Whose watches are open."""
        return {watch.credentials for watch in self._open}


_FAR_AWAY = 30 * 24 * 3600.0
"""Seconds. No watch lives that long; timers of the event loop need not reach further."""
