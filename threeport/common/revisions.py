"""Revisions: the numbers behind ``metadata.resourceVersion``.

A revision is microseconds since the epoch, shifted left by ten bits, plus the number of the API process that made
it. There is no global counter, so no row that every write must change, and writes scale out with the processes.
Revisions order the changes of one name; between names they are only within `SLACK` of the order of commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable

NODE_BITS = 10
NODES = 1 << NODE_BITS
"""How many API processes can write at once; each leases a number below this."""

SECOND = 1_000_000
"""One second in the unit of clocks here: microseconds."""

TRANSACTION_LIMIT = 5 * SECOND
"""A transaction commits within this time of its stamp, or not at all."""

SKEW_LIMIT = 1 * SECOND
"""How far a stamp may be from the database's clock; the writing statement refuses more."""

SLACK = 15 * SECOND
"""How far apart the orders of revision and commit can be: 5 s transaction, 2 s skew, 6 s refresh, 2 s reserve."""


def revision_of(micros: int, node: int = 0) -> int:
    """The revision made at `micros` (microseconds since the epoch) by process `node` (0 to 1023)."""
    return (micros << NODE_BITS) | node


def micros_of(revision: int) -> int:
    """When `revision` was made, in microseconds since the epoch."""
    return revision >> NODE_BITS


def next_revision(previous: int, stamp: int, node: int) -> int:
    """The revision of a change that follows `previous` under the same name: never below the stamp, always above it."""
    return max(stamp, revision_of(micros_of(previous) + 1, node))


def system_micros() -> int:
    """The wall clock in microseconds since the epoch."""
    return time.time_ns() // 1000


class RevisionClock:
    """Stamps the writes of one API process; its stamps only grow, even when the wall clock steps back."""

    def __init__(self, node: int, *, now: Callable[[], int] = system_micros) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node number {node} is not between 0 and {NODES - 1}")
        self.node = node
        self._now = now
        self._last = 0

    def read(self) -> int:
        """The clock as a revision, without using it up: what a LIST answers with. May equal earlier readings."""
        return revision_of(self._now(), self.node)

    def stamp(self) -> int:
        """A new revision above all that this process has made or adopted."""
        self._last = next_revision(self._last, self.read(), self.node)
        return self._last

    def adopt(self, revision: int) -> None:
        """Take over the revision a statement returned: it may be above the stamp, where the name had a newer one."""
        self._last = max(self._last, revision)
