"""The rules of the hub by example; `tests/specification` tries them in thousands of random runs."""

from __future__ import annotations

import pytest

from tests.unit.events.conftest import MakeEvent
from threeport.common.revisions import SECOND, revision_of
from threeport.events.core import FUTURE, HubCore, Source
from threeport.events.timing import Timing
from threeport.events.watch import WatchQueue
from threeport.store.changes import Head
from threeport.store.records import Bookmark, StoredObject

START = 1_000_000 * SECOND


class Driven:
    """A core with a clock that stands until it is moved."""

    def __init__(self, *, buffer: int = 100, memory_limit: int = 1_000_000) -> None:
        self.now = START
        self.core = HubCore(
            clock=lambda: revision_of(self.now, 3),
            now=lambda: self.now,
            timing=Timing(),
            buffer=buffer,
            memory_limit=memory_limit,
        )

    def refresh(self, *rows: StoredObject) -> None:
        """A refresh that takes no time."""
        assert self.core.apply_refresh(self.core.begin_refresh(), rows)


@pytest.fixture
def driven() -> Driven:
    """A core that has been refreshed once."""
    hub = Driven()
    hub.refresh()
    return hub


def at(seconds: float) -> int:
    """A revision made so many seconds after the start."""
    return revision_of(START + int(seconds * SECOND), 1)


def drain(watch: WatchQueue) -> list[StoredObject | Bookmark]:
    items = []
    while (item := watch.pop()) is not None:
        items.append(item)
    return items


@pytest.mark.parametrize(("source", "known"), [(Source.COMMIT, True), (Source.STREAM, False)])
def test_what_only_a_message_says_is_no_state_to_write_from(
    driven: Driven, event: MakeEvent, source: Source, known: bool
) -> None:
    said = event("a", "1", at(-1))
    driven.core.consume(said, source)
    assert driven.core.latest(said.key) == (said if known else None)


def test_a_message_takes_the_place_of_what_was_known_until_the_truth_is_read(driven: Driven, event: MakeEvent) -> None:
    written, forged, read = event("a", "1", at(-3)), event("a", "2", at(-3)), event("a", "1", at(-1))
    driven.core.consume(written, Source.COMMIT)
    driven.core.consume(forged)
    assert driven.core.latest(written.key) is None
    driven.refresh(read)
    assert driven.core.latest(written.key) == read


def test_messages_wait_for_the_first_refresh(event: MakeEvent) -> None:
    hub = Driven()
    watch = hub.core.watch_live("things")
    hub.core.consume(event("a", "1", at(-1)))
    assert drain(watch) == []
    hub.refresh()
    assert drain(watch) == [event("a", "1", at(-1))]


def test_the_first_refresh_goes_back_the_whole_memory_and_later_ones_the_slack(driven: Driven) -> None:
    timing = driven.core.timing
    assert Driven().core.begin_refresh().above == revision_of(START - timing.memory, 0) + 3
    driven.now += 5 * SECOND
    assert driven.core.begin_refresh().above == revision_of(START - timing.slack, 0) + 3


def test_only_what_the_stream_has_not_brought_is_news(driven: Driven, event: MakeEvent) -> None:
    driven.core.consume(event("a", "1", at(-1)))
    assert driven.core.news([Head("things", "1", at(-1)), Head("things", "2", at(-1))]) == ["2"]
    assert driven.core.news([Head("things", "1", at(-0.5))]) == ["1"]


def test_six_seconds_after_the_last_refresh_began_messages_wait_for_the_next(driven: Driven, event: MakeEvent) -> None:
    watch = driven.core.watch_live("things")
    driven.now += 6 * SECOND
    driven.core.consume(event("a", "1", at(6)))
    assert driven.core.fenced
    assert drain(watch) == []
    driven.refresh()
    assert drain(watch) == [event("a", "1", at(6))]


def test_twenty_seconds_without_refresh_cut_all_watches(driven: Driven, event: MakeEvent) -> None:
    driven.refresh(event("a", "1", at(-1)))
    watch, begun = driven.core.watch_live("things"), driven.core.begin_refresh()
    driven.now += 20 * SECOND
    assert not driven.core.abandon_if_stale()
    driven.now += 1
    assert driven.core.abandon_if_stale()
    assert not watch.open
    assert not driven.core.ready
    assert not driven.core.apply_refresh(begun, []), "a refresh of before counts for nothing"


def test_a_watch_is_sent_what_the_slack_before_its_revision_holds(driven: Driven, event: MakeEvent) -> None:
    driven.refresh(event("a", "1", at(-40)), event("b", "2", at(-24)), event("c", "3", at(-5)))
    above = driven.core.replay_from(at(-10))
    assert driven.core.remembers(above)
    watch = driven.core.watch("things", above=above)
    assert drain(watch) == [event("b", "2", at(-24)), event("c", "3", at(-5))]


def test_a_revision_of_the_future_is_resumed_from_as_from_now(driven: Driven) -> None:
    assert driven.core.replay_from(at(60)) == driven.core.replay_from(driven.core.clock())


def test_what_is_older_than_the_memory_has_to_be_read(driven: Driven, event: MakeEvent) -> None:
    above = driven.core.replay_from(at(-200))
    assert not driven.core.remembers(above)
    assert driven.core.remembers(driven.core.covers)
    part = driven.core.replay("things", [event("a", "1", at(-190))], never)
    driven.core.consume(event("b", "2", at(-1)))
    assert drain(part) == [event("a", "1", at(-190))], "what happens is passed on behind the last page"
    assert driven.core.watches == 1
    driven.core.detach(part)
    assert driven.core.watches == 0


def test_a_page_of_a_replay_is_cut_with_all_watches(driven: Driven, event: MakeEvent) -> None:
    part = driven.core.replay("things", [event("a", "1", at(-190))], never)
    driven.core.cut_all()
    assert not part.open
    assert drain(part) == []


async def never() -> WatchQueue:
    """The rest of a replay that nobody asks for."""
    raise AssertionError


def test_a_memory_that_is_too_large_forgets_the_oldest_but_never_the_slack(event: MakeEvent) -> None:
    hub = Driven(memory_limit=10_000)
    hub.refresh(*(event(f"n{second}", f"u{second}", at(-second)) for second in range(1, 110)))
    slack = revision_of(hub.core.timing.slack)
    assert at(-30) < hub.core.covers <= hub.core.begin_refresh().above, (
        "the next refresh reads nothing that is forgotten"
    )
    assert hub.core.covers > hub.core.clock() - 2 * slack
    assert hub.core.news([Head("things", f"u{second}", at(-second)) for second in range(1, 110)]) == []
    assert len(drain(hub.core.watch("things", above=hub.core.covers))) in range(14, 19)


def test_a_memory_is_cut_to_what_has_room(event: MakeEvent) -> None:
    hub = Driven(memory_limit=80_000)
    hub.refresh(*(event(f"n{second}", f"u{second}", at(-second)) for second in range(1, 110)))
    kept = drain(hub.core.watch("things", above=hub.core.covers))
    assert 40 < len(kept) < 80


def test_thirty_five_minutes_are_too_old(driven: Driven) -> None:
    assert driven.core.too_old(0)
    assert driven.core.too_old(at(-35 * 60 - 1))
    assert not driven.core.too_old(at(-35 * 60 + 1))


def test_a_bookmark_is_the_start_of_the_last_refresh_and_comes_in_order(driven: Driven, event: MakeEvent) -> None:
    watch = driven.core.watch_live("things")
    driven.core.consume(event("a", "1", at(-1)))
    driven.now += 3 * SECOND
    driven.core.bookmarks()
    assert drain(watch) == [event("a", "1", at(-1)), Bookmark(revision_of(START, 3))]


def test_a_full_buffer_cuts_the_watch_and_no_other(event: MakeEvent) -> None:
    hub = Driven(buffer=3)
    hub.refresh()
    slow, fast = hub.core.watch_live("things"), hub.core.watch_live("things")
    for number in range(4):
        hub.core.consume(event(f"n{number}", f"u{number}", at(-1)))
        drain(fast)
    assert not slow.open
    assert drain(slow) == []
    assert fast.open
    assert hub.core.watches == 1


def test_a_replay_larger_than_the_buffer_is_sent_in_full(event: MakeEvent) -> None:
    hub = Driven(buffer=3)
    hub.refresh(*(event(f"n{number}", f"u{number}", at(-1)) for number in range(50)))
    watch = hub.core.watch("things", above=at(-20))
    hub.core.consume(event("new", "new", at(0)))
    assert len(drain(watch)) == 51


def test_watches_hear_of_their_resource_only(driven: Driven, event: MakeEvent) -> None:
    watch = driven.core.watch_live("things")
    driven.core.consume(event("a", "1", at(-1), resource="others"))
    assert drain(watch) == []


def test_a_message_from_the_future_is_ignored(driven: Driven, event: MakeEvent) -> None:
    watch = driven.core.watch_live("things")
    driven.core.consume(event("a", "1", revision_of(START + FUTURE + SECOND)))
    driven.core.consume(event("a", "1", at(0)))
    assert drain(watch) == [event("a", "1", at(0))]


def test_news_is_counted_by_its_source(driven: Driven, event: MakeEvent) -> None:
    driven.core.consume(event("a", "1", at(-1)))
    driven.refresh(event("a", "1", at(-1)), event("b", "2", at(-1)))
    assert driven.core.accepted == {Source.STREAM: 1, Source.REFRESH: 1}


def test_a_watcher_that_left_is_not_counted(driven: Driven) -> None:
    watch = driven.core.watch_live("things")
    driven.core.detach(watch)
    driven.core.detach(watch)
    assert driven.core.watches == 0
