"""What is news, and what a resuming watch is sent."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.conftest import MakeEvent
from threeport.events.memory import Memory, replay_of
from threeport.store.records import Key, StoredObject


def test_a_repetition_is_no_news(event: MakeEvent) -> None:
    memory = Memory()
    assert memory.accept(event("a", "1", 5)) == (event("a", "1", 5),)
    assert memory.accept(event("a", "1", 5)) == ()


def test_an_older_state_is_no_news(event: MakeEvent) -> None:
    memory = Memory()
    memory.accept(event("a", "1", 5))
    assert memory.accept(event("a", "1", 4)) == ()


def test_what_is_older_than_the_memory_is_no_news(event: MakeEvent) -> None:
    memory = Memory()
    memory.forget(10)
    assert memory.accept(event("a", "1", 10)) == ()
    assert memory.accept(event("a", "1", 11)) != ()


def test_a_living_object_whose_name_has_passed_on_is_no_news(event: MakeEvent) -> None:
    memory = Memory()
    memory.accept(event("a", "2", 9))
    assert memory.accept(event("a", "1", 5)) == ()


def test_a_late_deletion_is_followed_by_the_living_object_of_the_name(event: MakeEvent) -> None:
    memory = Memory()
    living, late = event("a", "2", 9), event("a", "1", 8, deleted=True)
    memory.accept(living)
    assert memory.accept(late) == (late, living)


def test_a_late_deletion_of_a_name_that_is_gone_again_stands_alone(event: MakeEvent) -> None:
    memory = Memory()
    late = event("a", "1", 8, deleted=True)
    memory.accept(event("a", "2", 9, deleted=True))
    assert memory.accept(late) == (late,)


def test_names_of_different_resources_have_nothing_to_do_with_each_other(event: MakeEvent) -> None:
    memory = Memory()
    memory.accept(event("a", "2", 9, resource="others"))
    assert memory.accept(event("a", "1", 5)) == (event("a", "1", 5),)
    assert memory.newer("things", 0) == [event("a", "1", 5)]


def test_what_is_forgotten_is_not_replayed(event: MakeEvent) -> None:
    memory = Memory()
    for revision in (5, 6):
        memory.accept(event(f"n{revision}", f"u{revision}", revision))
    memory.forget(5)
    assert memory.newer("things", 0) == [event("n6", "u6", 6)]
    assert len(memory) == 1


def test_the_size_is_that_of_the_newest_events(event: MakeEvent) -> None:
    memory, alone = Memory(), Memory()
    for revision in (5, 6):
        memory.accept(event("a", "1", revision))
    memory.accept(event("b", "2", 4))
    alone.accept(event("a", "1", 6))
    assert memory.size == 2 * alone.size > 2000
    memory.forget(4)
    assert memory.size == alone.size
    memory.forget(6)
    assert memory.size == 0


def test_a_replay_ascends(event: MakeEvent) -> None:
    remembered = [event("a", "1", 9), event("b", "2", 3), event("c", "3", 8)]
    assert [e.revision for e in replay_of(remembered)] == [3, 8, 9]


def test_a_replay_has_the_deletion_before_the_object_that_took_the_name(event: MakeEvent) -> None:
    replay = replay_of([event("a", "2", 9), event("a", "1", 8, deleted=True), event("a", "0", 7)])
    assert [(e.uid, e.deleted) for e in replay] == [("1", True), ("2", False)]


def lives_of_a_name() -> st.SearchStrategy[list[StoredObject]]:
    """All events of one name: objects that are changed and deleted, one after the other."""

    def events(changes: list[int]) -> list[StoredObject]:
        found, revision = [], 0
        for uid, count in enumerate(changes):
            for change in range(count + 1):
                revision += 1
                found.append(
                    StoredObject(
                        key=Key("things", "", "a"),
                        uid=str(uid),
                        revision=revision,
                        generation=1,
                        body="",
                        deleted=change == count,
                    )
                )
        return found

    return st.lists(st.integers(1, 3), min_size=1, max_size=3).map(events)


@given(lives_of_a_name(), st.data())
def test_in_whatever_order_events_come_the_newest_state_of_name_and_uids_comes_out(
    history: list[StoredObject], data: st.DataObject
) -> None:
    ended = data.draw(st.integers(1, len(history)))
    history = history[:ended]
    arriving = data.draw(st.permutations(history + data.draw(st.lists(st.sampled_from(history), max_size=4))))
    memory, passed_on = Memory(), list[StoredObject]()
    for each in arriving:
        passed_on += memory.accept(each)
    by_name, by_uid = reflect(passed_on)
    newest = history[-1]
    assert by_name == ({} if newest.deleted else {"a": newest})
    assert by_uid == ({} if newest.deleted else {newest.uid: newest})


def reflect(events: list[StoredObject]) -> tuple[dict[str, StoredObject], dict[str, StoredObject]]:
    """What clients that go by name, and by uid, know after these events."""
    by_name: dict[str, StoredObject] = {}
    by_uid: dict[str, StoredObject] = {}
    for each in events:
        if each.deleted:
            by_name.pop(each.key.name, None)
            by_uid.pop(each.uid, None)
        else:
            by_name[each.key.name] = by_uid[each.uid] = each
    return by_name, by_uid


def test_every_order_of_a_replacement_ends_with_the_living_object(event: MakeEvent) -> None:
    history = [event("a", "1", 1), event("a", "1", 2, deleted=True), event("a", "2", 3), event("a", "2", 4)]
    for order in permutations(history):
        memory = Memory()
        passed_on = [out for each in order for out in memory.accept(each)]
        assert reflect(passed_on) == ({"a": history[-1]}, {"2": history[-1]})
