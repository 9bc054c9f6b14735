"""How far many objects have come: what is waited for, without a line for each of a thousand."""

from __future__ import annotations

from typing import Final

from threeport.cli.console import Progress
from threeport.cli.ordering import Target

FEW: Final = 5
"""Up to so many objects are told of one by one."""

STEPS: Final = 10
"""So many lines tell of more."""


class Tally:
    """Passes on what is said of each object if they are few; of many it counts, and names one that is not there yet."""

    def __init__(self, say: Progress, total: int, goal: str) -> None:
        """`goal` is what they are when it is over: ``gone``, ``Ready``."""
        self._say, self._total, self._goal = say, total, goal
        self._open: dict[str, str] = {}
        self._done = 0

    def say_of(self, target: Target) -> Progress:
        """What to call with what an object waits for."""
        if self._total <= FEW:
            return self._say

        def remember(message: str) -> None:
            is_first = not self._open and not self._done
            self._open[str(target)] = message
            if is_first:
                self._tell()

        return remember

    def is_done(self, target: Target) -> None:
        """Takes note that one is there."""
        self._open.pop(str(target), None)
        before, self._done = self._done, self._done + 1
        if self._total > FEW and before * STEPS // self._total != self._done * STEPS // self._total:
            self._tell()

    def _tell(self) -> None:
        example = next(iter(self._open.values()), "")
        self._say(f"{self._done} of {self._total} are {self._goal}{f'. {example}' if example else ''}")


def listed(targets: list[Target]) -> str:
    """The objects in a few words: all of a few, else their number."""
    return ", ".join(map(str, targets)) if len(targets) <= FEW else f"{len(targets)} objects"
