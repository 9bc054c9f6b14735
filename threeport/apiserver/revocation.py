"""Rights that end before their time: a lease that has passed on, a runtime that is gone.

Requests are checked when they come; watches, which stay, are checked every `CHECK_INTERVAL` seconds.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog

from threeport.apiserver import identities
from threeport.apiserver.authentication import Credentials
from threeport.apiserver.authorization import RUNTIMES
from threeport.apiserver.door import LeaseBook
from threeport.apiserver.open_watches import OpenWatches
from threeport.common.errors import Unauthorized
from threeport.krm.interfaces import ObjectStore
from threeport.store.records import Key, StoreUnavailable

log = structlog.stdlib.get_logger("threeport.apiserver.revocation")

CHECK_INTERVAL: Final = 2.0
TRUSTED_FOR: Final = 5.0
"""Seconds for which a runtime that was found is not looked up again."""


class LivingRuntimes:
    """Whether the runtime still lives for whose agent a token was issued: a new one of its name is another."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._found: dict[str, tuple[float, str | None]] = {}

    async def check(self, credentials: Credentials) -> None:
        """Raises `Unauthorized` if the credentials hang on a runtime that is gone."""
        runtime = identities.runtime_of(credentials.identity)
        if credentials.uid is None or runtime is None:
            return
        found = self._found.get(runtime)
        if found is None or found[0] < time.monotonic() or found[1] != credentials.uid:
            stored = await self._store.get(Key(RUNTIMES, "", runtime))
            found = self._found[runtime] = (time.monotonic() + TRUSTED_FOR, stored.uid if stored else None)
        if found[1] != credentials.uid:
            raise Unauthorized("The runtime that this token was issued for is gone.")


class Revocation:
    """Cuts watches whose right has ended."""

    def __init__(self, watches: OpenWatches, book: LeaseBook, runtimes: LivingRuntimes) -> None:
        self._watches = watches
        self._book = book
        self._runtimes = runtimes

    async def run(self) -> None:
        """Checks until cancelled."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            try:
                await self.check()
            except StoreUnavailable as error:
                log.debug("leases cannot be checked", error=str(error))
            except Exception:
                log.exception("watches could not be checked; the next round tries again")

    async def check(self) -> None:
        """Looks at every open watch once."""
        for fence in self._watches.fences():
            if not await self._book.is_current(fence):
                lost = Unauthorized(f"Epoch {fence.epoch} of lease {fence.lease} is over.")
                cut = self._watches.cut(lost, which=lambda watch, fence=fence: watch.fence == fence)  # type: ignore[misc]
                log.info("watches cut: their lease has passed on", lease=fence.lease, epoch=fence.epoch, watches=cut)
        for holder in self._watches.holders():
            try:
                await self._runtimes.check(holder)
            except Unauthorized as gone:
                self._watches.cut(gone, which=lambda watch, holder=holder: watch.credentials == holder)  # type: ignore[misc]
