"""The spans of time that the rules of the hub are made of, in one place, because they depend on each other."""

from __future__ import annotations

from dataclasses import dataclass

from threeport.common.revisions import SECOND, SLACK

MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All in microseconds. What holds between them: `refresh` < `fence` < `slack` < `memory`, and `expiry` plus the
    time that a replay takes stays well below the age at which the store drops tombstones (60 minutes)."""

    slack: int = SLACK
    """How far apart the orders of revision and of commit can be: who resumes at r is given all above r - slack."""
    memory: int = 2 * MINUTE
    """How long the hub remembers the newest event of each object."""
    refresh: int = 5 * SECOND
    """The hub reads the database at least this often, whatever the stream brings."""
    refresh_when_lagging: int = 1 * SECOND
    """The same while the stream is lost or the outbox is behind."""
    fence: int = 6 * SECOND
    """A hub whose last refresh began longer ago passes no message of the stream on."""
    abandon: int = 20 * SECOND
    """A hub whose last refresh began longer ago cuts its watches and starts anew."""
    expiry: int = 35 * MINUTE
    """Older revisions cannot be resumed from (410): tombstones newer than them may be gone soon."""
    bookmark: int = 30 * SECOND
    """How often a watch is told how far it has come."""
