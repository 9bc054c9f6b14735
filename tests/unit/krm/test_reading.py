"""Where who has listed goes on: the next page, or the watch."""

from __future__ import annotations

import base64

import pytest

from threeport.common.errors import Expired
from threeport.common.revisions import SECOND, revision_of
from threeport.krm.paths import Target
from threeport.krm.reading import Position, Selection, parse_position, resume_point
from threeport.krm.selectors import FieldSelector
from threeport.resources.kind import Kind
from threeport.store.records import Key, StoredObject

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


def test_a_continue_token_leads_back_to_its_position() -> None:
    position = Position(NOW, ("shop", "web"))
    assert parse_position(position.as_token()) == position


@pytest.mark.parametrize(
    "content", ["", "5", "null", "[1]", '["x", "shop", "web"]', "[1, 2, 3]", '[1, "shop", "a\\u0000"]', "{}", "\xff"]
)
def test_any_other_continue_token_is_told_to_list_from_the_start(content: str) -> None:
    with pytest.raises(Expired):
        parse_position(base64.urlsafe_b64encode(content.encode("latin-1")).decode())
