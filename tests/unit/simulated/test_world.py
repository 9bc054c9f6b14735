"""The mirror of a simulated cluster's store: commits are told in any order, and it shows what was committed last."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.krm.interfaces import ObjectStore
from threeport.simulated import world as module
from threeport.simulated.kinds import built_in_kinds
from threeport.simulated.world import Entry, World
from threeport.store.records import BODY_PREFIX, Key, StoredObject

NO_STORE = cast(ObjectStore, None)
"""The mirror alone reads and writes nothing."""


def commit(name: str, uid: str, revision: int, *, deleted: bool = False) -> StoredObject:
    """One version of a Pod."""
    metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": uid}
    body = BODY_PREFIX + orjson.dumps(metadata).decode().removeprefix("{") + "}"
    return StoredObject(
        key=Key("pods", "default", name), uid=uid, revision=revision, generation=1, body=body, deleted=deleted
    )


def new_world(heard: list[Entry] | None = None) -> World:
    """An empty mirror."""
    return World(NO_STORE, built_in_kinds(), (heard if heard is not None else []).append)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[StoredObject], list[StoredObject]]:
    """The commits of one name, and the same as they were told."""
    history: list[StoredObject] = []
    life = 0
    for revision in range(1, draw(st.integers(1, 8)) + 1):
        begins = not history or history[-1].deleted
        life += begins
        history.append(commit("web", f"uid-{life}", revision, deleted=not begins and draw(st.booleans())))
    return history, draw(st.permutations(history))


@given(histories())
def test_whatever_the_order_in_which_commits_are_told_the_last_one_shows(
    both: tuple[list[StoredObject], list[StoredObject]],
) -> None:
    history, told = both
    heard: list[Entry] = []
    world = new_world(heard)
    for stored in told:
        world.absorb([stored])
    last = history[-1]
    entry = world.get("pods", "default", "web")
    assert (entry.stored if entry else None) == (None if last.deleted else last)
    assert [one.uid for one in world.everything()] == ([] if last.deleted else [last.uid])
    assert heard[-1].stored == last
    revisions = [one.stored.revision for one in heard]
    assert revisions == sorted(revisions)


def test_an_object_that_is_gone_does_not_come_back_with_late_news() -> None:
    world = new_world()
    world.absorb([commit("web", "u", 3, deleted=True), commit("web", "u", 2)])
    assert world.everything() == []
    world.absorb([commit("web", "other", 4)])
    assert [one.uid for one in world.everything()] == ["other"]


def test_deletions_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world()
    world.absorb([commit("living", "l", 1)])
    monkeypatch.setattr(module, "LATEST_NEWS", -1.0)
    for number in range(2, 50):
        world.absorb([commit(f"web-{number}", "u", number, deleted=True)])
    world.absorb([commit("web-2", "again", 50)])
    assert {key.name for key in world._newest} == {"living", "web-2"}  # noqa: SLF001
