"""What is said of one object: a health and the one sentence that explains it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from threeport.resources.workload import Health

SEVERITY: Final[dict[Health, int]] = {"Healthy": 0, "Progressing": 1, "Unknown": 2, "Degraded": 3, "Down": 4}
"""From what needs no attention to what needs it first."""

LONGEST_MESSAGE: Final = 500
"""Characters; kubelets and controllers put whole error chains into their messages."""


class Verdict(NamedTuple):
    """Healthy: does what its spec wants. Progressing: on its way, nothing wrong seen. Degraded: serves in part.
    Down: serves nothing. Unknown: cannot be told."""

    health: Health
    message: str = ""

    @property
    def severity(self) -> int:
        """Higher is worse."""
        return SEVERITY[self.health]

    @property
    def is_trouble(self) -> bool:
        """Whether something is wrong, rather than under way."""
        return self.severity >= SEVERITY["Degraded"]


HEALTHY: Final = Verdict("Healthy")
UNOBSERVED: Final = Verdict("Progressing", "its controller has not seen the change yet")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that needs attention first; the earliest among equals. Of nothing: Healthy."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=HEALTHY)


def sentence(reason: str, message: str) -> str:
    """`Reason: message`, or the one of them that there is, cut to a length that fits a table."""
    text = f"{reason}: {message}" if reason and message else reason or message
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
