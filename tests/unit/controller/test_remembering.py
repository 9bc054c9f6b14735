"""Few objects are remembered: those that were asked for last."""

from __future__ import annotations

import pytest

from threeport.controller.remembering import Remembered


def test_few_objects_are_remembered_those_asked_for_last() -> None:
    known = Remembered(kept=2)
    for name in ("a", "b"):
        known.put(("", name), {"name": name})
    assert known.get(("", "a")) == {"name": "a"}
    known.put(("", "c"), {"name": "c"})
    assert known.get(("", "b")) is None
    assert known.get(("", "a")) is not None
    known.drop(("", "a"))
    assert known.get(("", "a")) is None


@pytest.mark.parametrize("name", [("", "a"), ("n", "a")])
def test_what_was_not_read_is_not_known(name: tuple[str, str]) -> None:
    assert Remembered().get(name) is None
