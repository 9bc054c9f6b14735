"""The SQL of writes: every placeholder has its parameter, and each table is changed at most once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.store.records import Fence, Key, Operation, ReferenceTarget, Write
from threeport.store.statements import GIVEN, parameters_of, reference_rows, row_of, shape_of, sql_of

KEY = Key("workloads.threeport.io", "default", "a")
TARGET = ReferenceTarget(Key("definitions", "default", "d"))

writes = st.builds(
    Write,
    operation=st.sampled_from(Operation),
    key=st.just(KEY),
    uid=st.just("uid"),
    generation=st.integers(1, 9),
    body=st.just("{}"),
    labels=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    former=st.none() | st.just(({"a": "b"},)),
    references=st.none() | st.just(()) | st.just((TARGET,)),
    expected=st.none() | st.integers(1, 9),
    refuse_if_referenced=st.booleans(),
)


@given(write=writes, fence=st.none() | st.just(Fence("lease", 1)), alone=st.booleans())
def test_every_placeholder_has_its_parameter(write: Write, fence: Fence | None, alone: bool) -> None:
    sql = sql_of(shape_of(write, fence, alone=alone))
    parameters = parameters_of([row_of(write, stamp=1, node=1, fence=fence)])
    assert set(re.findall(r"%\((\w+)\)s", sql)) == set(parameters)
    assert "{" not in sql
    assert ("FROM leases" in sql) == (fence is not None)


@given(write=writes)
def test_the_statement_reads_of_a_write_what_its_row_has(write: Write) -> None:
    row = row_of(write, stamp=1, node=1, fence=None)
    assert list(row) == re.findall(r"(\w+) (?:TEXT|BIGINT|BOOLEAN|JSONB)", GIVEN)


@given(write=writes, alone=st.booleans())
def test_each_table_is_changed_at_most_once(write: Write, alone: bool) -> None:
    changed = re.findall(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", sql_of(shape_of(write, None, alone=alone)))
    assert len(changed) == len(set(changed))
    assert "outbox" in changed


@pytest.mark.parametrize("blocks", [(True, False), (False, True)])
def test_two_references_to_one_object_are_one_that_blocks_if_either_does(blocks: tuple[bool, bool]) -> None:
    references = tuple(ReferenceTarget(TARGET.key, each) for each in blocks)
    write = Write(operation=Operation.CREATE, key=KEY, uid="u", generation=1, body="{}", references=references)
    assert reference_rows(write) == [{**TARGET.key._asdict(), "blocks": True}]
    assert row_of(write, stamp=1, node=1, fence=None)["reference_count"] == 1
