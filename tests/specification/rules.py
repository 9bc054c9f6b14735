"""The rules, and the fixed quantities of the simulated world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from threeport.common.revisions import SECOND, SKEW_LIMIT, TRANSACTION_LIMIT
from threeport.events.timing import Timing

RULES = {
    "bump": "a revision is above the last one of the same NAME, tombstone included",
    "txn_bound": "commit at most 5 s after stamping, enforced in the transaction",
    "clock_guard": "the writing statement refuses a revision more than 1 s off the database's clock",
    "settled": "what is younger than S is never forgotten, and a replay is read in pages only up to what is remembered",
    "slack": "resume means 'revision > r - S', S = 15 s (off: 2 s)",
    "anchor_sql": "resume by revision and slack, never by the place of r in a ring",
    "ascending": "a replay is sent in ascending order of revision",
    "watch_refresh": "a WATCH starts with a refresh from SQL that began after the request",
    "periodic": "each hub refreshes from SQL every 5 s, whatever JetStream says",
    "fence": "a hub whose last refresh began over 6 s ago passes no stream messages on",
    "own_fence": "such a hub does not pass on what its own process has committed either",
    "abandon": "a hub without SQL for 20 s cuts its watches and starts anew",
    "newest": "per uid, a message not newer than the last one passed on is dropped",
    "floor": "a message older than all the hub remembers is dropped, not trusted",
    "stale_uid": "a live message of an older uid of a re-created name is dropped",
    "pair": "a DELETED of a replaced uid is followed by the living object's event again",
    "former": "an object keeps the label sets it had, so a selector watch can be told it left",
    "list_before": "the LIST revision is the clock before the (first page's) snapshot, not after the last",
    "bookmark": "a bookmark carries the start of the last refresh passed on (off: the clock now)",
    "gone_margin": "410 comes well before tombstones are deleted (off: 410 only from r itself beyond their age)",
    "gone_late": "whether r is too old is judged when the replay is read, not when the request comes",
}

OF_THE_WORLD = ("bump", "txn_bound", "clock_guard", "former", "list_before")
"""Rules that writers and LIST keep; they can be switched off whatever the hub is."""

OF_THE_SHELL = ("slack", "watch_refresh", "periodic", "fence", "abandon", "gone_margin", "gone_late")
"""Rules that can be switched off around the real core: by its `Timing`, or by when it is called."""

HubName: TypeAlias = Literal["rules", "core", "ring"]

TXN, SKEW = TRANSACTION_LIMIT, SKEW_LIMIT
TOMBSTONES_LIVE, DEDUPLICATION = 60 * SECOND, 20 * SECOND
NAMES, PROCESSES, WRITES_END, END = "abc", 3, 80 * SECOND, 150 * SECOND
PAGE = 2
"""Objects of a replay that are read at once."""
BUFFER = 40
"""Events that may wait for a watcher before it is cut."""
TIMING = Timing(memory=20 * SECOND, expiry=35 * SECOND, bookmark=3 * SECOND)


@dataclass(frozen=True)
class Faults:
    """Probabilities, and factors of them; each run scales each of them at random."""

    crash: float = 0.5
    outage: float = 0.5
    wipe: float = 0.5
    sqlstall: float = 0.4
    cut: float = 1.0
    slow_relay: float = 0.3
    slow_txn: float = 0.25
    skew: float = 1.0
    lag: float = 0.3
    handover: float = 1.0
    """That a process tells its own hub what it has committed; it does not where the answer was lost, or it died."""
    late_handover: float = 0.1


STALLS = Faults(sqlstall=1.5, crash=0.3)
HANDOVER = Faults(handover=4.0, late_handover=0.4, slow_relay=0.8, lag=0.8, outage=0.8, slow_txn=0.4)
"""Processes know their own changes long before the stream brings them to anybody, or long after."""
BIAS = {
    "own_fence": Faults(sqlstall=1.5, crash=0.3, handover=4.0),
    "gone_late": STALLS,
    "gone_margin": STALLS,
    "abandon": STALLS,
    "fence": STALLS,
}
"""Some rules protect from what is rare otherwise."""


@dataclass(frozen=True)
class Config:
    """One experiment: which hub, which rules are off, which faults."""

    hub: HubName = "rules"
    off: frozenset[str] = frozenset()
    faults: Faults = field(default_factory=Faults)

    def on(self, rule: str) -> bool:
        """Whether a rule holds."""
        return rule not in self.off


def without(rule: str, hub: HubName = "rules") -> Config:
    """The experiment that shows what a rule is good for."""
    return Config(hub, frozenset({rule}), BIAS.get(rule, Faults()))
