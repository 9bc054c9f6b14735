"""Judges the history of a run, without input or output: what the API has promised is either kept or named here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tests.integration.exactness.history import (
    PAIRS,
    Change,
    Event,
    History,
    Listing,
    Outcome,
    Seen,
    Verb,
    Version,
    Write,
)

READ_CODES = frozenset({0, 200, 410, 429})
"""How a list or watch may end while anything fails: kopf ends on anything else. 0 is a cut connection."""
WRITE_CODES = frozenset({0, 200, 201, 404, 409, 429, 503, 504})


class Violation(NamedTuple):
    """A promise that was not kept."""

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


def check(history: History) -> list[Violation]:
    """All violations in a history; none if every promise was kept."""
    return [Violation(rule.__name__, what) for rule in RULES for what in rule(history)]


# -- writes


def acknowledged_writes_are_there(history: History) -> Iterator[str]:
    """Every version from an acknowledged write's on contains it, the last one included."""
    acknowledged = _acknowledged_by_uid(history)
    for version in set(history.versions()):
        for write, change in acknowledged[version.uid]:
            assert change.version is not None
            missing = version.mark_of(write.writer) < write.number
            if version.revision >= change.version.revision and missing:
                yield f"{write.token} was acknowledged as {change.version}, and is missing in {version}"


def acknowledged_objects_are_there(history: History) -> Iterator[str]:
    """What was created is there in the end, or its deletion is known; what was deleted stays so."""
    last = {version.uid: version for version in (*history.tombstones, *history.objects)}
    alive = {version.uid for version in history.objects}
    for write, change in _done(history):
        if change.version is not None:
            found = last.get(change.uid)
            if found is None or found.revision < change.version.revision:
                yield f"{write.token} was acknowledged as {change.version}; in the end there is {found}"
        elif change.uid in alive:
            yield f"{write.token} has deleted {change.name} {change.uid}, which lives: {last[change.uid]}"


def refused_writes_leave_no_trace(history: History) -> Iterator[str]:
    """A write that was refused is in no version of any object."""
    refused = {(write.writer, write.number) for write in history.writes if write.outcome is Outcome.REFUSED}
    for version in set(history.versions()):
        for mark in refused.intersection(version.marks):
            yield f"{'/'.join(map(str, mark))} was refused, and is in {version}"


def nothing_comes_from_nowhere(history: History) -> Iterator[str]:
    """Every object and every mark in it was written by a request to that very object."""
    made = {(write.token, change.name) for write, change in _changes(history) if change.verb is Verb.CREATE}
    wrote = {
        (write.writer, write.number, change.name)
        for write, change in _changes(history)
        if change.verb is not Verb.DELETE
    }
    for version in set(history.versions()):
        if (version.made, version.name) not in made:
            yield f"nobody has created {version}"
        for writer, number in version.marks:
            if (writer, number, version.name) not in wrote:
                yield f"nobody has written {writer}/{number} into {version}"


def a_revision_is_one_content(history: History) -> Iterator[str]:
    """Whoever sees an object at a revision sees the same."""
    known: dict[tuple[str, int], Version] = {}
    for version in history.versions():
        first = known.setdefault((version.uid, version.revision), version)
        if first != version:
            yield f"{first} and {version} have the same revision"


def revisions_grow_with_time(history: History) -> Iterator[str]:
    """A write that begins after another to the same name was acknowledged has a higher revision."""
    by_name: defaultdict[str, list[tuple[Write, Version]]] = defaultdict(list)
    for write, change in _done(history):
        if change.version is not None:
            by_name[change.name].append((write, change.version))
    for writes in by_name.values():
        ended = sorted(writes, key=lambda each: each[0].ended)
        highest, at = 0, 0
        for write, version in sorted(writes, key=lambda each: each[0].began):
            while at < len(ended) and ended[at][0].ended < write.began:
                highest = max(highest, ended[at][1].revision)
                at += 1
            if version.revision <= highest:
                yield f"{write.token} got {version}, after {highest} had been acknowledged"


def marks_only_grow(history: History) -> Iterator[str]:
    """A later version of an object contains every write that an earlier one contains, acknowledged or not."""
    by_uid: defaultdict[str, set[Version]] = defaultdict(set)
    for version in history.versions():
        by_uid[version.uid].add(version)
    for versions in by_uid.values():
        earlier: Version | None = None
        for version in sorted(versions, key=lambda version: version.revision):
            if earlier is not None and any(version.mark_of(writer) < number for writer, number in earlier.marks):
                yield f"{version} lacks what {earlier} had"
            earlier = version


def transactions_are_whole(history: History) -> Iterator[str]:
    """Two objects that are written together only are seen together only."""
    yield from (f"in the end: {torn}" for torn in _torn(history.objects))
    for watcher in history.watchers:
        for entry in watcher.entries:
            if isinstance(entry, Listing) and entry.one_snapshot and watcher.labels is None:
                yield from (f"{watcher.name} in a list at {entry.began:.3f}: {torn}" for torn in _torn(entry.versions))


def _torn(versions: Iterable[Version]) -> Iterator[str]:
    by_name = {version.name: version for version in versions}
    for left, right in PAIRS:
        one, other = by_name.get(left), by_name.get(right)
        if (one and one.pair) != (other and other.pair):
            yield f"{left} is {one}, and {right} is {other}"


# -- lists and watches


def lists_are_current(history: History) -> Iterator[str]:
    """A list at any server shows all that was acknowledged before it began."""
    tombstones = {version.uid for version in history.tombstones}
    done = sorted(_done(history), key=lambda each: each[0].ended)
    for watcher in history.watchers:
        for entry in watcher.entries:
            if isinstance(entry, Listing) and watcher.labels is None:
                yield from (f"{watcher.name}: {stale}" for stale in _stale(entry, done, tombstones))


def _stale(listing: Listing, done: list[tuple[Write, Change]], tombstones: set[str]) -> Iterator[str]:
    listed = {version.uid: version for version in listing.versions}
    for write, change in done:
        if write.ended >= listing.began:
            return
        found = listed.get(change.uid)
        if change.version is None:
            if found is not None:
                yield f"the list at {listing.began:.3f} has {found}, which {write.token} had deleted"
        elif found is None and change.uid not in tombstones:
            yield f"the list at {listing.began:.3f} lacks {change.version} of {write.token}"
        elif found is not None and found.revision < change.version.revision:
            yield f"the list at {listing.began:.3f} has {found} instead of {change.version} of {write.token}"


def watchers_never_go_back(history: History) -> Iterator[str]:
    """No watcher is shown an older version of an object than before, nor one that it knows to be gone."""
    ends = {version.uid: version.revision for version in history.tombstones}
    for watcher in history.watchers:
        yield from (f"{watcher.name} {backwards}" for backwards in _backwards(watcher, ends))


def _backwards(watcher: Seen, ends: dict[str, int]) -> Iterator[str]:
    newest: dict[str, int] = {}
    gone: set[str] = set()
    names: dict[str, int] = {}
    for entry in watcher.entries:
        if isinstance(entry, Listing):
            if watcher.labels is None:
                gone |= newest.keys() - {version.uid for version in entry.versions}
            names = {}
        for version in (entry.version,) if isinstance(entry, Event) else entry.versions:
            deleted = isinstance(entry, Event) and entry.type == "DELETED"
            if not deleted and version.uid in gone:
                yield f"is shown {version} in {_where(entry)}, after its end"
            if version.revision < newest.get(version.uid, 0):
                yield f"is shown {version} in {_where(entry)}, after {newest[version.uid]}"
            if not deleted and version.revision < names.get(version.name, 0):
                yield f"is shown {version} in {_where(entry)}, after its name was at {names[version.name]}"
            newest[version.uid] = max(version.revision, newest.get(version.uid, 0))
            if deleted:
                names.pop(version.name, None)
                gone |= {version.uid} if ends.get(version.uid, 0) == version.revision else set()
            else:
                names[version.name] = version.revision


def watchers_end_up_with_the_database(history: History) -> Iterator[str]:
    """List plus events make the final state: for who keeps objects by name, and for who keeps them by uid."""
    for watcher in history.watchers:
        truth = {version.uid: version for version in history.objects if watcher.selects(version)}
        by_name, by_uid = stores_of(watcher)
        yield from (f"{watcher.name} by uid: {wrong}" for wrong in _differences(by_uid, truth))
        wanted = {version.name: version for version in truth.values()}
        yield from (f"{watcher.name} by name: {wrong}" for wrong in _differences(by_name, wanted))


def stores_of(watcher: Seen) -> tuple[dict[str, Version], dict[str, Version]]:
    """What a client believes after all that it has seen: by name as client-go does it, and by uid as kopf does."""
    by_name: dict[str, Version] = {}
    by_uid: dict[str, Version] = {}
    for entry in watcher.entries:
        apply_to_stores(by_name, by_uid, entry)
    return by_name, by_uid


def apply_to_stores(by_name: dict[str, Version], by_uid: dict[str, Version], entry: Listing | Event) -> None:
    """Take one entry in."""
    if isinstance(entry, Listing):
        by_name.clear()
        by_uid.clear()
        by_name.update((version.name, version) for version in entry.versions)
        by_uid.update((version.uid, version) for version in entry.versions)
    elif entry.type == "DELETED":
        by_name.pop(entry.version.name, None)
        by_uid.pop(entry.version.uid, None)
    else:
        by_name[entry.version.name] = by_uid[entry.version.uid] = entry.version


def _differences(found: dict[str, Version], wanted: dict[str, Version]) -> Iterator[str]:
    for key in sorted(found.keys() | wanted.keys()):
        if found.get(key) != wanted.get(key):
            yield f"has {found.get(key)}, the database {wanted.get(key)}"


def answers_can_be_survived(history: History) -> Iterator[str]:
    """Lists and watches are answered, refused with 429 or 410, or cut; writes never end in an unforeseen error."""
    for watcher in history.watchers:
        for answer in watcher.answers:
            if answer.code not in READ_CODES:
                yield f"{watcher.name} at {answer.at:.3f}: {answer.verb} is answered {answer.code} {answer.message}"
    for write in history.writes:
        if write.code not in WRITE_CODES:
            yield f"{write.token} is answered {write.code} {write.message}"


def _where(entry: Listing | Event) -> str:
    kind, at = (entry.type, entry.at) if isinstance(entry, Event) else ("a list", entry.began)
    return f"{kind} of server {entry.server} at {at:.3f}"


def _changes(history: History) -> Iterator[tuple[Write, Change]]:
    return ((write, change) for write in history.writes for change in write.changes)


def _done(history: History) -> Iterator[tuple[Write, Change]]:
    return ((write, change) for write, change in _changes(history) if write.outcome is Outcome.DONE)


def _acknowledged_by_uid(history: History) -> defaultdict[str, list[tuple[Write, Change]]]:
    by_uid: defaultdict[str, list[tuple[Write, Change]]] = defaultdict(list)
    for write, change in _done(history):
        if change.version is not None:
            by_uid[change.uid].append((write, change))
    return by_uid


RULES: tuple[Callable[[History], Iterator[str]], ...] = (
    acknowledged_writes_are_there,
    acknowledged_objects_are_there,
    refused_writes_leave_no_trace,
    nothing_comes_from_nowhere,
    a_revision_is_one_content,
    revisions_grow_with_time,
    marks_only_grow,
    transactions_are_whole,
    lists_are_current,
    watchers_never_go_back,
    watchers_end_up_with_the_database,
    answers_can_be_survived,
)
