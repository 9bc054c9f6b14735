"""Revisions only grow, whatever the clock does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.revisions import NODES, RevisionClock, micros_of, next_revision, revision_of

micros = st.integers(min_value=0, max_value=2**52)
nodes = st.integers(min_value=0, max_value=NODES - 1)


@given(micros, nodes)
def test_a_revision_tells_when_it_was_made(at: int, node: int) -> None:
    assert micros_of(revision_of(at, node)) == at


@given(micros, micros, nodes, nodes)
def test_the_next_revision_of_a_name_is_above_the_previous_and_not_below_the_stamp(
    previous_at: int, at: int, previous_node: int, node: int
) -> None:
    previous, stamp = revision_of(previous_at, previous_node), revision_of(at, node)
    assert next_revision(previous, stamp, node) > previous
    assert next_revision(previous, stamp, node) >= stamp


@given(st.lists(micros, min_size=1), nodes)
def test_stamps_grow_even_when_the_clock_steps_back(readings: list[int], node: int) -> None:
    ticks = iter(readings)
    clock = RevisionClock(node, now=lambda: next(ticks))
    stamps = [clock.stamp() for _ in readings]
    assert stamps == sorted(set(stamps))


def test_a_clock_goes_on_above_the_revision_it_adopts() -> None:
    clock = RevisionClock(3, now=lambda: 1000)
    clock.adopt(revision_of(5000, 7))
    assert clock.stamp() > revision_of(5000, 7)


def test_reading_the_clock_uses_up_no_revision() -> None:
    clock = RevisionClock(3, now=lambda: 1000)
    assert clock.read() == clock.read() == revision_of(1000, 3)


@pytest.mark.parametrize("node", [-1, NODES])
def test_a_node_number_out_of_range_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1023"):
        RevisionClock(node)
