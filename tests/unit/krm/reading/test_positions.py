"""Where who has listed goes on: the next page, or the watch."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.errors import BadRequest
from threeport.common.revisions import SECOND, revision_of
from threeport.krm.paths import Target
from threeport.krm.reading.positions import Position, parse_position, resume_point
from threeport.krm.reading.selection import Selection
from threeport.krm.reading.selectors import FieldSelector
from threeport.resources.kind import Kind
from threeport.store.records import Key, Shard, StoredObject

KIND = Kind(kind="Thing", plural="things", singular="thing")
NOW = revision_of(1_800_000_000 * SECOND)


def thing(revision: int) -> StoredObject:
    return StoredObject(
        key=Key(KIND.resource, "shop", "web"), uid="u", revision=revision, generation=1, body='{"metadata":{}}'
    )


@pytest.mark.parametrize(("seconds", "own"), [(1, True), (20, True), (40, False), (86_400, False)])
def test_who_has_listed_one_object_goes_on_from_it_while_a_watch_would_repeat_it(seconds: int, *, own: bool) -> None:
    changed = NOW - revision_of(seconds * SECOND)
    selection = Selection("shop", fields=FieldSelector(name="web"))
    wanted = changed if own else NOW
    assert resume_point(Target(KIND, "shop"), selection, [thing(changed)], NOW) == wanted


def test_who_has_listed_many_goes_on_from_the_clock() -> None:
    recent = NOW - revision_of(SECOND)
    assert resume_point(Target(KIND, "shop"), Selection("shop"), [thing(recent)], NOW) == NOW
    named = Selection("shop", fields=FieldSelector(name="web"))
    assert resume_point(Target(KIND, "shop"), named, [], NOW) == NOW


PLACE, SELECTION = Target(KIND, "shop"), Selection("shop", labels=(("app", "in", frozenset({"a", "b"})),))
POSITION = Position(NOW, ("shop", "web"))
TOKEN = POSITION.as_token(PLACE, SELECTION)


def test_a_continue_token_leads_back_to_its_position() -> None:
    same = Selection("shop", labels=(("app", "in", frozenset({"b", "a"})),))
    assert parse_position(TOKEN, PLACE, same) == POSITION


@pytest.mark.parametrize(
    ("place", "selection"),
    [
        (Target(KIND, "other"), Selection("other")),
        (PLACE, Selection("shop")),
        (PLACE, replace(SELECTION, labels=(("app", "notin", frozenset({"a", "b"})),))),
        (PLACE, replace(SELECTION, fields=FieldSelector(name="web"))),
        (PLACE, replace(SELECTION, shard=Shard(0, 2))),
        (PLACE, replace(SELECTION, referring_to=Key("a", "b", "c"))),
    ],
)
def test_a_continue_token_is_good_for_its_own_list_only(place: Target, selection: Selection) -> None:
    with pytest.raises(BadRequest, match="continue token"):
        parse_position(TOKEN, place, selection)


@given(place=st.integers(0, len(TOKEN) - 1), text=st.text(max_size=3))
def test_a_continue_token_that_was_changed_leads_nowhere_else(place: int, text: str) -> None:
    changed = TOKEN[:place] + text + TOKEN[place + 1 :]
    with suppress(BadRequest):
        assert parse_position(changed, PLACE, SELECTION) == POSITION


@pytest.mark.parametrize(
    "content", ["", "5", "null", "[1]", '["x", "shop", "web"]', "[1, 2, 3]", '[1, "shop", "a\\u0000"]', "{}", "\xff"]
)
def test_any_other_continue_token_is_told_to_list_from_the_start(content: str) -> None:
    with pytest.raises(BadRequest, match="from the start"):
        parse_position(base64.urlsafe_b64encode(content.encode("latin-1")).decode(), PLACE, SELECTION)


@pytest.mark.parametrize("after", [("shop", "a\0"), ("shop", 5), ("shop",), None])
def test_who_makes_a_token_of_his_own_is_told_the_same(after: Any) -> None:
    made = Position(NOW, after or ()).as_token(PLACE, SELECTION)
    with pytest.raises(BadRequest, match="from the start"):
        parse_position(made, PLACE, SELECTION)
