"""The lease of a (controller, shard): who holds it may act, and its epoch stands in the URL of the door.

A holder that stops answering loses it after its time; the next one waits that long. The holder checks what is left
of it before each act (`Lease.check`), since a process may be stopped and continued at any point.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from typing import Final

import kopf

from threeport.client import Client, Unreachable
from threeport.common.errors import ApiError, Conflict, Forbidden, Unauthorized

logger = logging.getLogger(__name__)

RESERVE: Final = 2.0
"""Seconds of the lease that must be left to begin an act: about what one request takes at worst, usually."""

LONGEST_WAIT: Final = 3.0
"""Seconds between attempts to get the lease."""


class LeaseLost(Exception):
    """Another process holds the lease, or may: stop, and start anew with a lease of a later epoch."""


class Lease:
    """Held by one process at a time; kept alive by `keep`, which has to run as a task."""

    def __init__(self, client: Client, *, controller: str, shard: int, shards: int) -> None:
        self._client = client
        self._path = f"/controllers/{controller}/{shard}-of-{shards}"
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._expires = 0.0
        self._ttl = 0.0
        self.epoch: int | None = None

    @property
    def door(self) -> str:
        """The path prefix under which the API serves this holder."""
        return f"{self._path}/{self.epoch}"

    def remaining(self) -> float:
        """Seconds for which nobody else can hold it."""
        return self._expires - time.monotonic()

    def check(self) -> None:
        """Returns if there is time left to act, else raises `kopf.TemporaryError`: the operator is about to end."""
        if self.remaining() < RESERVE:
            raise kopf.TemporaryError("The lease of this controller has run out; its next holder goes on.", delay=5)

    async def acquire(self) -> None:
        """Waits until the lease is ours. Raises `Forbidden` if this identity may not have it."""
        wait = 0.2
        said = ""
        while True:
            try:
                await self._ask(None)
                return
            except Forbidden:
                raise
            except ApiError as error:
                if error.message != said:
                    logger.info("Waiting for the lease %s: %s", self._path, error.message)
                    said = error.message
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, LONGEST_WAIT)

    async def keep(self) -> None:
        """Renews the lease until it is lost. Raises `LeaseLost` then."""
        while True:
            await asyncio.sleep(max(0.1, min(self._ttl / 3, self.remaining() - RESERVE)))
            try:
                await self._ask(self.epoch)
            except (Unauthorized, Conflict, Forbidden) as error:
                self._expires = 0.0
                raise LeaseLost(error.message) from error
            except (Unreachable, ApiError) as error:
                if self.remaining() < RESERVE:
                    raise LeaseLost(f"it could not be renewed in time: {error.message}") from error

    async def release(self) -> None:
        """Gives the lease back, so that the next holder need not wait. Failing to do so is no harm."""
        if self.epoch is None:
            return
        self._expires = 0.0
        try:
            await self._client.post_path(f"{self._path}/lease", self._claim(self.epoch), method="DELETE")
        except ApiError as error:
            logger.info("The lease %s was not given back: %s", self._path, error.message)
        self.epoch = None

    async def _ask(self, epoch: int | None) -> None:
        asked = time.monotonic()
        answer = await self._client.post_path(f"{self._path}/lease", self._claim(epoch))
        self.epoch = int(answer["epoch"])
        self._ttl = float(answer["ttlSeconds"])
        self._expires = asked + self._ttl

    def _claim(self, epoch: int | None) -> dict[str, object]:
        return {"holder": self._holder, "epoch": epoch}
