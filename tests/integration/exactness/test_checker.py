"""The checker finds what it is there to find: each test plants one violation into a history without any."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.exactness.checker import check
from tests.integration.exactness.history import (
    PAIRS,
    Answer,
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

LEFT, RIGHT = PAIRS[0]

# An object's life: created, changed, relabelled; and another that was deleted and made again.
CREATED = Version("a", "uid-a", 10, "x", (("w0", 1),), "w0/1", "")
CHANGED = CREATED._replace(revision=20, marks=(("w0", 1), ("w1", 1)))
RELABELLED = CREATED._replace(revision=30, label="y", marks=(("w0", 2), ("w1", 1)))
FORMER = Version("b", "uid-b1", 11, "x", (("w1", 2),), "w1/2", "")
BURIED = FORMER._replace(revision=21)
LATTER = Version("b", "uid-b2", 31, "x", (("w1", 4),), "w1/4", "")
HALVES = tuple(Version(name, f"uid-{name}", 40 + i, "x", (("w2", 1),), "w2/1", "w2/1")
               for i, name in enumerate((LEFT, RIGHT)))  # fmt: skip


def write(token: str, at: float, *changes: Change, outcome: Outcome = Outcome.DONE, code: int = 200) -> Write:
    """A write that took a second."""
    writer, _, number = token.partition("/")
    return Write(writer, int(number), at, at + 1, 0, outcome, code, changes)


def made(verb: Verb, version: Version) -> Change:
    """A change that was acknowledged with a version."""
    return Change(version.name, verb, version.uid, version)


def event(at: float, kind: str, version: Version) -> Event:
    """An event of the first server."""
    return Event(at, 0, kind, version)


@pytest.fixture
def history() -> History:
    """A run in which every promise was kept."""
    every = Seen(
        "all",
        None,
        [
            Listing(1.5, 0, 12, (CREATED,), True),
            event(3, "ADDED", FORMER),
            event(5, "MODIFIED", CHANGED),
            event(6, "MODIFIED", CHANGED),
            event(7, "DELETED", BURIED),
            event(9, "MODIFIED", RELABELLED),
            event(11, "ADDED", LATTER),
            Listing(20, 1, 50, (RELABELLED, LATTER, *HALVES), True),
        ],
        [Answer(5, 0, "watch", 0), Answer(6, 0, "watch", 429)],
    )
    some = Seen(
        "x",
        frozenset("x"),
        [
            Listing(4, 0, 12, (CREATED, FORMER), True),
            event(8, "DELETED", BURIED),
            event(9, "DELETED", RELABELLED),
            event(11, "ADDED", LATTER),
            *(event(14, "ADDED", half) for half in HALVES),
        ],
    )
    return History(
        seed=0,
        writes=[
            write("w0/1", 0, made(Verb.CREATE, CREATED)),
            write("w1/1", 4, made(Verb.CHANGE, CHANGED)),
            write("w1/2", 2, made(Verb.CREATE, FORMER)),
            write("w1/3", 6, Change("b", Verb.DELETE, "uid-b1")),
            write("w0/2", 8, made(Verb.CHANGE, RELABELLED)),
            write("w1/4", 10, made(Verb.CREATE, LATTER)),
            write("w2/1", 12, *(made(Verb.CREATE, half) for half in HALVES)),
            write("w3/1", 12, Change("a", Verb.CHANGE), outcome=Outcome.REFUSED, code=409),
            write("w3/2", 12, Change("a", Verb.CHANGE), outcome=Outcome.UNKNOWN, code=0),
        ],
        watchers=[every, some],
        objects=[RELABELLED, LATTER, *HALVES],
        tombstones=[BURIED],
    )


def rules_broken(history: History) -> set[str]:
    """The names of the rules that a history breaks."""
    return {violation.rule for violation in check(history)}


def with_mark(version: Version, writer: str, number: int) -> Version:
    """The version with one more write in it."""
    return version._replace(marks=tuple(sorted({**dict(version.marks), writer: number}.items())))


def test_a_run_without_violations_passes(history: History) -> None:
    assert check(history) == []


def test_an_unknown_write_may_have_happened(history: History) -> None:
    late = with_mark(RELABELLED._replace(revision=35), "w3", 2)
    history.objects[0] = late
    history.watchers[0].entries.append(event(21, "MODIFIED", late))
    assert check(history) == []


def test_an_acknowledged_change_that_is_overwritten_is_found(history: History) -> None:
    lost = RELABELLED._replace(marks=(("w0", 2),))
    history.objects[0] = lost
    assert "acknowledged_writes_are_there" in rules_broken(history)


def test_an_acknowledged_object_that_is_not_in_the_database_is_found(history: History) -> None:
    del history.objects[1]
    assert "acknowledged_objects_are_there" in rules_broken(history)


def test_an_acknowledged_object_that_went_back_is_found(history: History) -> None:
    history.objects[0] = CREATED
    assert "acknowledged_objects_are_there" in rules_broken(history)


def test_a_deleted_object_that_lives_is_found(history: History) -> None:
    history.tombstones.clear()
    history.objects.append(BURIED)
    assert "acknowledged_objects_are_there" in rules_broken(history)


def test_a_refused_write_that_was_made_is_found(history: History) -> None:
    history.objects[0] = with_mark(RELABELLED._replace(revision=35), "w3", 1)
    assert "refused_writes_leave_no_trace" in rules_broken(history)


def test_an_object_that_nobody_made_is_found(history: History) -> None:
    history.watchers[0].entries.append(event(21, "ADDED", Version("c", "uid-c", 99, "x", (), "w0/9", "")))
    assert "nothing_comes_from_nowhere" in rules_broken(history)


def test_a_mark_of_a_write_to_another_object_is_found(history: History) -> None:
    history.watchers[0].entries.append(event(21, "MODIFIED", with_mark(LATTER._replace(revision=99), "w0", 2)))
    assert "nothing_comes_from_nowhere" in rules_broken(history)


def test_two_contents_at_one_revision_are_found(history: History) -> None:
    history.watchers[1].entries.insert(1, event(5, "MODIFIED", CREATED._replace(label="z")))
    assert "a_revision_is_one_content" in rules_broken(history)


def test_a_revision_below_an_acknowledged_one_is_found(history: History) -> None:
    low = LATTER._replace(revision=9)
    history.writes[5] = write("w1/4", 10, made(Verb.CREATE, low))
    assert "revisions_grow_with_time" in rules_broken(history)


def test_an_unacknowledged_write_that_disappears_is_found(history: History) -> None:
    history.watchers[0].entries.insert(4, event(6, "MODIFIED", with_mark(CHANGED._replace(revision=25), "w3", 2)))
    assert "marks_only_grow" in rules_broken(history)


def test_half_a_transaction_in_the_database_is_found(history: History) -> None:
    history.objects[-1] = HALVES[1]._replace(pair="w2/0")
    assert "transactions_are_whole" in rules_broken(history)


def test_half_a_transaction_in_a_list_is_found(history: History) -> None:
    history.watchers[0].entries.append(Listing(21, 0, 51, (RELABELLED, LATTER, HALVES[0]), True))
    assert "transactions_are_whole" in rules_broken(history)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param((CHANGED, LATTER, *HALVES), id="an older version"),
        pytest.param((LATTER, *HALVES), id="not the object"),
        pytest.param((RELABELLED, FORMER, *HALVES), id="a deleted object"),
    ],
)
def test_a_list_behind_acknowledged_writes_is_found(history: History, listed: tuple[Version, ...]) -> None:
    history.watchers[0].entries.insert(-1, Listing(19, 0, 49, listed, False))
    assert "lists_are_current" in rules_broken(history)


def test_an_older_version_after_a_newer_one_is_found(history: History) -> None:
    history.watchers[0].entries.insert(6, event(10, "MODIFIED", CHANGED))
    assert rules_broken(history) == {"watchers_never_go_back"}


def test_an_object_after_its_end_is_found(history: History) -> None:
    history.watchers[0].entries.insert(5, event(8, "MODIFIED", FORMER))
    history.watchers[0].entries.insert(6, event(8, "DELETED", BURIED))
    assert rules_broken(history) == {"watchers_never_go_back"}


def test_a_name_that_goes_back_to_an_earlier_object_is_found(history: History) -> None:
    history.watchers[1].entries.insert(4, event(12, "ADDED", FORMER))
    history.watchers[1].entries.insert(5, event(12, "DELETED", BURIED))
    history.watchers[1].entries.insert(6, event(13, "ADDED", LATTER))
    assert "watchers_never_go_back" in rules_broken(history)


@pytest.mark.parametrize("missing", range(1, 5))
def test_an_event_that_never_came_is_found(history: History, missing: int) -> None:
    del history.watchers[1].entries[missing]
    assert rules_broken(history) == {"watchers_end_up_with_the_database"}


def test_a_deletion_that_takes_the_next_object_of_the_name_along_is_found(history: History) -> None:
    history.watchers[1].entries.append(event(15, "DELETED", BURIED))
    assert rules_broken(history) == {"watchers_end_up_with_the_database"}


def test_a_phantom_in_a_watchers_store_is_found(history: History) -> None:
    history.watchers[1].entries[0] = replace_versions(history.watchers[1].entries[0], CREATED, FORMER)
    history.watchers[1].entries.append(event(15, "MODIFIED", RELABELLED))
    assert "watchers_end_up_with_the_database" in rules_broken(history)


def replace_versions(entry: Listing | Event, *versions: Version) -> Listing:
    """A list with other versions."""
    assert isinstance(entry, Listing)
    return entry._replace(versions=versions)


@pytest.mark.parametrize("code", [401, 403, 404, 500, 503])
def test_an_answer_that_ends_clients_is_found(history: History, code: int) -> None:
    history.watchers[0].answers.append(Answer(9, 0, "list", code))
    assert rules_broken(history) == {"answers_can_be_survived"}


def test_an_unforeseen_error_of_a_write_is_found(history: History) -> None:
    history.writes[-1] = history.writes[-1]._replace(code=500)
    assert rules_broken(history) == {"answers_can_be_survived"}


def test_a_history_can_be_read(history: History) -> None:
    text = "\n".join(replace(history, faults=["    0.500  at 0.5 s for 1.0 s: NATS killed, process 0"]).lines())
    assert "w1/3 at 0, since 6.000: delete b uid-b1: acknowledged 200" in text
    assert "all at 0 DELETED b uid-b1 @21 x [w1/2]" in text
