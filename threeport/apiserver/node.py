"""The number of this process, leased: no two processes stamp revisions with the same one at the same time."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from contextlib import suppress
from typing import Final

import structlog

from threeport.store.leases import Leases, NodeLease
from threeport.store.records import StoreUnavailable

TTL: Final = 30.0
"""Seconds that the number stays ours without a sign of life."""
HEARTBEAT: Final = 5.0

log = structlog.stdlib.get_logger("threeport.apiserver")


class NodeLost(Exception):
    """Another process has this one's number: this one must not write any more."""


class Node:
    """A leased number."""

    def __init__(self, leases: Leases, lease: NodeLease) -> None:
        self._leases = leases
        self._lease = lease

    @property
    def number(self) -> int:
        """The number, 0 to 1023."""
        return self._lease.number

    async def keep(self, stop: asyncio.Event) -> None:
        """Renews the lease until `stop` is set. Raises `NodeLost` if another process got it meanwhile.

        While the database is away nobody can take the number, nor can this process write with it.
        """
        while not stop.is_set():
            try:
                _, holder, epoch, _ = lease = self._lease.lease
                if await self._leases.renew(lease.name, holder, epoch, TTL) is None:
                    raise NodeLost(f"another process has node number {self.number}: this one must start anew")
            except StoreUnavailable as error:
                log.warning("the node number cannot be renewed", node=self.number, error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT):
                    await stop.wait()

    async def release(self) -> None:
        """Gives the number back."""
        name, holder, epoch, _ = self._lease.lease
        with suppress(StoreUnavailable):
            await self._leases.release(name, holder, epoch)


async def lease_node(leases: Leases) -> Node:
    """A number that no other process has. Raises `StoreUnavailable` if there is none."""
    holder = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4()}"
    return Node(leases, await leases.lease_node(holder, TTL))
