"""Many writes that do not depend on each other: together where that works, one by one where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from threeport.krm.interfaces import ObjectStore
from threeport.store.records import Fence, StaleRevision, StillReferenced, Write

BATCH = 100
"""Writes in one transaction: few enough to commit in a fraction of the time that it has."""


class Failure(NamedTuple):
    """A write that was not made, and why."""

    write: Write
    error: StaleRevision | StillReferenced


async def write_each(store: ObjectStore, writes: Sequence[Write], *, fence: Fence | None = None) -> list[Failure]:
    """Makes each of the writes, or returns what stands against it. Raises what else the store raises."""
    failures: list[Failure] = []
    for start in range(0, len(writes), BATCH):
        failures += await _write_batch(store, writes[start : start + BATCH], fence)
    return failures


async def _write_batch(store: ObjectStore, writes: Sequence[Write], fence: Fence | None) -> list[Failure]:
    try:
        await store.write(writes, fence=fence)
    except (StaleRevision, StillReferenced) as error:
        if len(writes) == 1:
            return [Failure(writes[0], error)]
        # One stands against all: the rest goes on without it, and by halves, since there may be more.
        middle = len(writes) // 2
        halves = writes[:middle], writes[middle:]
        return [failure for half in halves for failure in await _write_batch(store, half, fence)]
    return []
