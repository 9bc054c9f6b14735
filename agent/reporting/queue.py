"""Which instances are to be reported, and when: as soon as one has come to rest, and never too often.

What happens together is told together. An instance that has just been applied changes for a moment, object by object
and pod by pod; a report of each step would cost the API, the controller and its reader more than it tells them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from threeport.common.delays import retry_delay

QUIET: Final = 0.2
"""Seconds without a change after which an instance is reported."""

PATIENCE: Final = 1.0
"""Seconds from a change to its report at most, whatever goes on changing."""

PACE: Final = 1.0
"""Seconds at least between two reports of one instance."""

FIRST_RETRY: Final = 0.5
LONGEST_RETRY: Final = 30.0


class Queue:
    """Instances by uid, each at most once: what piles up during an outage is bounded by their number."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` tells seconds that only grow."""
        self._clock = clock
        self._due: dict[str, float] = {}
        self._restless: dict[str, float] = {}
        """Since when there is news that nobody was told."""
        self._written: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._due)

    def changed(self, instance: str) -> None:
        """There is news: it waits for more, but not for long."""
        now = self._clock()
        rest = min(now + QUIET, self._restless.setdefault(instance, now) + PATIENCE)
        due = max(rest, self.written_at(instance) + PACE)
        if instance in self._failures:
            self._due.setdefault(instance, due)
        else:
            self._due[instance] = due

    def by(self, instance: str, due: float) -> None:
        """Its turn comes at `due` at the latest, unless it has failed: then it waits for its time."""
        if instance in self._failures:
            self._due.setdefault(instance, due)
        else:
            self._due[instance] = min(due, self._due.get(instance, due))

    def take(self, limit: int, *, but: Collection[str]) -> list[str]:
        """Removes and returns those whose time has come, `limit` at most, without those that are in `but`."""
        now = self._clock()
        taken = [one for one, due in self._due.items() if due <= now and one not in but][: max(limit, 0)]
        for instance in taken:
            del self._due[instance]
            self._restless.pop(instance, None)
        return taken

    def wait(self, *, but: Collection[str]) -> float | None:
        """Seconds until the next one's time comes; None if none waits."""
        waiting = [due for one, due in self._due.items() if one not in but]
        return max(0.0, min(waiting) - self._clock()) if waiting else None

    def written_at(self, instance: str) -> float:
        """When a report of it was last written, or tried."""
        return self._written.get(instance, float("-inf"))

    def written(self, instance: str) -> None:
        """A report of it is being written."""
        self._written[instance] = self._clock()

    def succeeded(self, instance: str) -> None:
        """What was to be done is done."""
        self._failures.pop(instance, None)

    def failed(self, instance: str) -> float:
        """It has to be tried again, each time a little later; returns in how many seconds."""
        failures = self._failures[instance] = self._failures.get(instance, -1) + 1
        delay = retry_delay(failures, first=FIRST_RETRY, longest=LONGEST_RETRY)
        self._due[instance] = self._clock() + delay
        return delay

    def forget(self, instance: str) -> None:
        """It is gone, and so is its report."""
        self._written.pop(instance, None)
        self._restless.pop(instance, None)
