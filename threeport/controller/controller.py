"""What the handlers of an operator work with; kopf hands it to them as ``memo.controller``."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial

import kopf

from threeport.client import Client
from threeport.common.sharing import SharedReads
from threeport.common.types import JsonObject
from threeport.controller.lease import Lease
from threeport.controller.remembering import Remembered
from threeport.kube.clusters import Clusters
from threeport.resources.kind import Kind
from threeport.store.records import Key

AT_ONCE = 64
"""Reconciles under way in one controller. More wait, so that ten thousand objects at start are no stampede."""

SHARE = 16
"""Of those, reconciles under way for one cluster. A cluster that does not answer must leave room for the others."""


@dataclass(slots=True, kw_only=True)
class Controller:
    """One controller at work: its name, its access to the API and to clusters, and its lease (Threeport's API only)."""

    name: str
    client: Client
    lease: Lease | None = None
    clusters: Clusters = field(default_factory=Clusters)
    at_once: int = AT_ONCE
    gate: asyncio.Semaphore = field(init=False)
    shares: defaultdict[str, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(SHARE))
    )
    """By the name of the runtime; previews, which find out theirs on the way, have one for all. To be taken before a
    place at the `gate`, not while it is held."""
    definitions: Remembered = field(default_factory=Remembered)
    """Of workloads, with secrets in clear."""
    logged_in: bool = False
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the API no longer accepts the login: the operator has to end."""
    _reads: SharedReads[Key, JsonObject] = field(default_factory=SharedReads)

    def __post_init__(self) -> None:
        """Opens the gate for as many as may be under way."""
        self.gate = asyncio.Semaphore(self.at_once)

    async def in_clear(self, kind: Kind, name: str, namespace: str | None = None) -> JsonObject:
        """The object as it is now, with its secrets in clear. Others share the result, so it is not to be changed.

        Raises `NotFound`.
        """
        key = Key(kind.resource, namespace or "", name)
        return await self._reads.ask(key, partial(self.client.get, kind, name, namespace, reveal=True))

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
