"""Leases: a row each, changed by compare-and-set under the database's clock.

Never advisory locks: CockroachDB accepts them and locks nothing. The epoch of a lease grows each time it is acquired
and at no other time, so a writer that names an epoch (`Fence`) cannot be mistaken for a later holder.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import NamedTuple

from threeport.common.revisions import NODES
from threeport.store.database import Database
from threeport.store.records import StoreUnavailable

EXPIRY = "clock_timestamp() + %(ttl)s::FLOAT8 * INTERVAL '1 second'"

ACQUIRED = f"""
    INSERT INTO leases (name, holder, epoch, expires) VALUES (%(name)s, %(holder)s, 1, {EXPIRY})
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = leases.epoch + 1, expires = excluded.expires
    WHERE leases.expires <= clock_timestamp() OR leases.holder = excluded.holder
    RETURNING epoch, expires"""

RENEWED = f"""
    UPDATE leases SET expires = {EXPIRY}
    WHERE name = %(name)s AND holder = %(holder)s AND epoch = %(epoch)s
    RETURNING epoch, expires"""

RELEASED = """
    UPDATE leases SET expires = clock_timestamp()
    WHERE name = %(name)s AND holder = %(holder)s AND epoch = %(epoch)s AND expires > clock_timestamp()"""

CURRENT = "SELECT epoch FROM leases WHERE name = %(name)s AND expires > clock_timestamp()"

TAKEN_NODES = "SELECT name FROM leases WHERE substr(name, 1, 5) = 'node/' AND expires > clock_timestamp()"

NODE_ATTEMPTS = 20


class Lease(NamedTuple):
    """That `holder` holds `name` at `epoch`, until `expires` by the database's clock unless renewed."""

    name: str
    holder: str
    epoch: int
    expires: datetime


class NodeLease(NamedTuple):
    """The number (0 to 1023) that a process stamps its revisions with, and the lease of it, to be renewed."""

    number: int
    lease: Lease


class Leases:
    """The table of leases. Every method raises `StoreUnavailable` when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, name: str, holder: str, ttl_seconds: float) -> Lease | None:
        """The lease under a new epoch, if it is free, has expired, or is `holder`'s already; else None."""
        rows = await self._database.statement(ACQUIRED, {"name": name, "holder": holder, "ttl": ttl_seconds})
        return Lease(name, holder, *rows[0]) if rows else None

    async def renew(self, name: str, holder: str, epoch: int, ttl_seconds: float) -> Lease | None:
        """The lease with a new expiry; None if another has acquired it. One that has expired but that nobody has
        taken is renewed: no other can have acted under it."""
        parameters = {"name": name, "holder": holder, "epoch": epoch, "ttl": ttl_seconds}
        rows = await self._database.statement(RENEWED, parameters)
        return Lease(name, holder, *rows[0]) if rows else None

    async def release(self, name: str, holder: str, epoch: int) -> None:
        """Lets the next holder in at once; the row and its epoch stay. A lease that is lost already is no error."""
        await self._database.statement(RELEASED, {"name": name, "holder": holder, "epoch": epoch})

    async def current_epoch(self, name: str) -> int | None:
        """The epoch at which somebody holds the lease now; None if nobody does."""
        rows = await self._database.read(CURRENT, {"name": name})
        return int(rows[0][0]) if rows else None

    async def lease_node(self, holder: str, ttl_seconds: float) -> NodeLease:
        """A number for `threeport.common.revisions.RevisionClock` that no other process has. `holder` is unique per
        process. Raises `StoreUnavailable` also when all numbers are taken."""
        for _ in range(NODE_ATTEMPTS):
            rows = await self._database.read(TAKEN_NODES)
            taken = {row[0] for row in rows}
            free = [number for number in range(NODES) if _node_name(number) not in taken]
            if not free:
                break
            number = random.choice(free)
            lease = await self.acquire(_node_name(number), holder, ttl_seconds)
            if lease is not None:
                return NodeLease(number, lease)
        raise StoreUnavailable(f"all {NODES} node numbers are leased: wait until processes that have gone expire")


def _node_name(number: int) -> str:
    return f"node/{number}"
