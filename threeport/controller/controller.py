"""What the handlers of an operator work with; kopf hands it to them as ``memo.controller``."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import kopf

from threeport.client import Client
from threeport.controller.lease import Lease
from threeport.kube.clusters import Clusters

AT_ONCE = 64
"""Reconciles under way in one controller. More wait, so that ten thousand objects at start are no stampede."""

SHARE = 16
"""Reconciles under way for one cluster. A cluster that does not answer must leave room for the others."""


@dataclass(slots=True, kw_only=True)
class Controller:
    """One controller at work: its name, its access to the API and to clusters, and its lease (Threeport's API only)."""

    name: str
    client: Client
    lease: Lease | None = None
    clusters: Clusters = field(default_factory=Clusters)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    shares: defaultdict[str, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(SHARE))
    )
    """By the name of the runtime; previews, which find out theirs on the way, have one for all. To be taken before a
    place at the `gate`, not while it is held."""
    logged_in: bool = False
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the API no longer accepts the login: the operator has to end."""

    def check_lease(self) -> None:
        """To be called before each act on the world. Raises `kopf.TemporaryError` if another may be at work."""
        if self.lease is not None:
            self.lease.check()


def lock_of(memo: kopf.Memo) -> asyncio.Lock:
    """The lock of one object: its handlers and its timers take turns. `memo` is the one that kopf keeps for it."""
    if "lock" not in memo:
        memo.lock = asyncio.Lock()
    lock: asyncio.Lock = memo.lock
    return lock
