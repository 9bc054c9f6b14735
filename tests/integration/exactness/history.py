"""What writers and watchers have seen in one run: the material that the checker judges.

Every write leaves a mark in the object, under the writer's own annotation: the number of the write. So any version of
an object tells which writes it contains, and a lost write, a torn transaction or a stale answer shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from threeport.common.types import FrozenJson

PREFIX = "exactness.threeport.io/"
LABEL = "tier"
PAIR = f"{PREFIX}pair"
MADE = f"{PREFIX}made"
OWN = (PAIR, MADE)

PAIRS = tuple((f"pair{number}-left", f"pair{number}-right") for number in range(3))
"""Names that are only ever written together, in transactions."""


class Version(NamedTuple):
    """One object at one revision."""

    name: str
    uid: str
    revision: int
    label: str
    marks: tuple[tuple[str, int], ...]
    """Of each writer that has written it, the number of its last write."""
    made: str
    """``writer/number`` of the write that created it."""
    pair: str
    """What the last transaction on a pair has left in both halves."""

    def mark_of(self, writer: str) -> int:
        """The number of the writer's last write to this object; 0 if there is none."""
        return dict(self.marks).get(writer, 0)

    def __str__(self) -> str:
        marks = " ".join(f"{writer}/{number}" for writer, number in self.marks)
        return f"{self.name} {self.uid[:8]} @{self.revision} {self.label} [{marks}]"


def version_of(obj: FrozenJson) -> Version:
    """The version that a decoded object is."""
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    marks = sorted(
        (key.removeprefix(PREFIX), int(value))
        for key, value in annotations.items()
        if key.startswith(PREFIX) and key not in OWN
    )
    return Version(
        name=metadata["name"],
        uid=metadata["uid"],
        revision=int(metadata["resourceVersion"]),
        label=(metadata.get("labels") or {}).get(LABEL, ""),
        marks=tuple(marks),
        made=annotations.get(MADE, ""),
        pair=annotations.get(PAIR, ""),
    )


class Verb(StrEnum):
    """What a change is to its object."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


class Outcome(StrEnum):
    """What is known of a write."""

    DONE = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Change(NamedTuple):
    """What a write does, or was to do, to one object. The last two are known when it was acknowledged."""

    name: str
    verb: Verb
    uid: str = ""
    version: Version | None = None
    """What was answered; None for a deletion."""


class Write(NamedTuple):
    """One request of a writer; times are seconds of a clock that all share."""

    writer: str
    number: int
    began: float
    ended: float
    server: int
    outcome: Outcome
    code: int
    """Of the answer; 0 if there was none."""
    changes: tuple[Change, ...]
    message: str = ""

    @property
    def token(self) -> str:
        """How the write is called in the objects that it made."""
        return f"{self.writer}/{self.number}"


class Listing(NamedTuple):
    """What a watcher was told when it listed."""

    began: float
    server: int
    revision: int
    versions: tuple[Version, ...]
    one_snapshot: bool
    """Whether it came in one answer; pages are read one after the other."""


class Event(NamedTuple):
    """One line of a watch, bookmarks left out."""

    at: float
    server: int
    type: str
    version: Version


class Answer(NamedTuple):
    """How a list or watch request ended; code 0 stands for a cut connection."""

    at: float
    server: int
    verb: str
    code: int
    message: str = ""


@dataclass
class Seen:
    """All that one watcher has seen."""

    name: str
    labels: frozenset[str] | None
    """What it selects; None for all."""
    entries: list[Listing | Event] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def selects(self, version: Version) -> bool:
        """Whether this watcher is to know the version as living."""
        return self.labels is None or version.label in self.labels


@dataclass
class History:
    """One run."""

    seed: int
    writes: list[Write] = field(default_factory=list)
    watchers: list[Seen] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    objects: list[Version] = field(default_factory=list)
    """What the database holds in the end."""
    tombstones: list[Version] = field(default_factory=list)

    def versions(self) -> Iterable[Version]:
        """Every version that anybody has been shown, repetitions included."""
        yield from self.objects
        yield from self.tombstones
        for write in self.writes:
            yield from (change.version for change in write.changes if change.version is not None)
        for watcher in self.watchers:
            for entry in watcher.entries:
                if isinstance(entry, Event):
                    yield entry.version
                else:
                    yield from entry.versions

    def lines(self) -> Iterable[str]:
        """The history as text, in the order of time, for a person to read."""
        told: list[tuple[float, str]] = []
        for write in self.writes:
            what = ", ".join(f"{each.verb} {each.version or f'{each.name} {each.uid}'}" for each in write.changes)
            where = f"at {write.server}, since {write.began:.3f}"
            told.append((write.ended, f"{write.token} {where}: {what}: {write.outcome} {write.code} {write.message}"))
        for watcher in self.watchers:
            told += ((answer.at, f"{watcher.name} {' '.join(map(str, answer[1:]))}") for answer in watcher.answers)
            for entry in watcher.entries:
                if isinstance(entry, Event):
                    told.append((entry.at, f"{watcher.name} at {entry.server} {entry.type} {entry.version}"))
                else:
                    shown = "; ".join(map(str, entry.versions))
                    told.append((entry.began, f"{watcher.name} at {entry.server} LIST @{entry.revision}: {shown}"))
        yield from self.faults
        yield from (f"{at:9.3f}  {text}" for at, text in sorted(told))
        yield from (f"in the end  {version}" for version in self.objects)
        yield from (f"tombstone   {version}" for version in self.tombstones)
