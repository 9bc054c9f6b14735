"""The controllers' door: ``/controllers/{controller}/{index}-of-{count}/{epoch}/...``.

Behind it the API serves kopf (see `Caller`). Who goes through holds the lease of the shard; the epoch in the path says
since when. The writing statement checks it again, so the answer of `LeaseBook` may be some seconds old.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Final, Protocol

from threeport.apiserver import identities
from threeport.common.errors import Forbidden, NotFound, Unauthorized
from threeport.krm.interfaces import Identity, Shard
from threeport.store.records import Fence

MAX_SHARDS: Final = 1024
TRUSTED_FOR: Final = 1.0
"""Seconds for which a lease that was found current is not looked up again."""

SHARD_PATH: Final = r"/controllers/{controller:[a-z0-9-]{1,63}}/{index:\d{1,4}}-of-{count:\d{1,4}}"
"""Start of the paths of one shard, for the routes of aiohttp."""
DOOR_PATH: Final = SHARD_PATH + r"/{epoch:\d{1,18}}"
"""Start of the paths behind the door."""

_LEASE = re.compile(r"/controllers/[a-z0-9-]{1,63}/\d{1,4}-of-\d{1,4}/lease")
_DOOR = re.compile(r"/controllers/([a-z0-9-]{1,63})/(\d{1,4})-of-(\d{1,4})/(\d{1,18})(?=/|$)")


@dataclass(frozen=True, slots=True)
class Door:
    """What a path behind the door says."""

    controller: str
    shard: Shard
    fence: Fence
    prefix: str

    @classmethod
    def of(cls, path: str) -> Door | None:
        """The door that a path leads through, or None. Raises `NotFound` for a shard that cannot be."""
        match = _DOOR.match(path)
        if match is None:
            return None
        shard = shard_from(match[2], match[3])
        return cls(match[1], shard, Fence(lease_name(match[1], shard), int(match[4])), match[0])


class LeaseReader(Protocol):
    """Tells the epoch of a lease that somebody holds now, or None."""

    async def current_epoch(self, lease: str) -> int | None:
        """The epoch, if the lease is held and has not run out."""


class LeaseBook:
    """Which leases are current, read from the database at most every `TRUSTED_FOR` seconds each."""

    def __init__(self, leases: LeaseReader) -> None:
        self._leases = leases
        self._found: dict[str, tuple[float, int | None]] = {}

    async def is_current(self, fence: Fence) -> bool:
        """Whether the lease is at this epoch."""
        found = self._found.get(fence.lease)
        now = time.monotonic()
        # A newer epoch than the one remembered is news, not an error: the lease was acquired a moment ago.
        if found is None or found[0] < now or found[1] is None or found[1] < fence.epoch:
            found = (now + TRUSTED_FOR, await self._leases.current_epoch(fence.lease))
            self._found[fence.lease] = found
        return found[1] == fence.epoch

    def forget(self, lease: str) -> None:
        """The lease has changed: look it up again."""
        self._found.pop(lease, None)


async def admit_controller(identity: Identity, door: Door, book: LeaseBook) -> None:
    """Lets the controller itself through, and no other. Raises `Forbidden`, or `Unauthorized` if the lease is lost."""
    may_be(identity, door.controller)
    if not await book.is_current(door.fence):
        raise Unauthorized(
            f"Epoch {door.fence.epoch} of lease {door.fence.lease} is over: stop, then acquire the lease anew."
        )


def may_be(identity: Identity, controller: str) -> None:
    """Raises `Forbidden` unless the identity is this controller."""
    if identities.controller_of(identity) != controller:
        raise Forbidden(f"{identity.name} is not controller:{controller}, for whom this path is.")


def is_lease(path: str) -> bool:
    """Whether a path is that of a shard's lease."""
    return _LEASE.fullmatch(path) is not None


def lease_name(controller: str, shard: Shard) -> str:
    """The lease of one shard: ``controllers/workload/0-of-2``."""
    return f"controllers/{controller}/{shard.index}-of-{shard.count}"


def layout_lease_name(controller: str) -> str:
    """The lease that all shards of one count hold together, so that shards of two counts are never at work at once."""
    return f"controllers/{controller}"


def shard_from(index: str, count: str) -> Shard:
    """The shard of ``{index}-of-{count}``. Raises `NotFound` unless 0 <= index < count <= `MAX_SHARDS`."""
    shard = Shard(int(index), int(count))
    if not 0 <= shard.index < shard.count <= MAX_SHARDS:
        raise NotFound(f"There is no shard {index} of {count}: the index is below the count, which is up to 1024.")
    return shard
