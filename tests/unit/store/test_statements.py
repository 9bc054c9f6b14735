"""The SQL of writes: every placeholder has its parameter, and each table is changed at most once."""

from __future__ import annotations

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.store.records import Fence, Key, Operation, ReferenceTarget, Write
from threeport.store.statements import statement_of

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
    statement = statement_of(write, stamp=1, node=1, fence=fence, alone=alone)
    placeholders = set(re.findall(r"%\((\w+)\)s", statement.sql))
    assert placeholders <= set(statement.parameters)
    assert "{" not in statement.sql
    assert ("FROM leases" in statement.sql) == (fence is not None)


@given(write=writes, alone=st.booleans())
def test_each_table_is_changed_at_most_once(write: Write, alone: bool) -> None:
    statement = statement_of(write, stamp=1, node=1, fence=None, alone=alone)
    changed = re.findall(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", statement.sql)
    assert len(changed) == len(set(changed))
    assert "outbox" in changed


@pytest.mark.parametrize("blocks", [(True, False), (False, True)])
def test_two_references_to_one_object_are_one_that_blocks_if_either_does(blocks: tuple[bool, bool]) -> None:
    references = tuple(ReferenceTarget(TARGET.key, each) for each in blocks)
    write = Write(operation=Operation.CREATE, key=KEY, uid="u", generation=1, body="{}", references=references)
    statement = statement_of(write, stamp=1, node=1, fence=None, alone=True)
    assert orjson.loads(str(statement.parameters["references"])) == [{**TARGET.key._asdict(), "blocks": True}]
    assert statement.parameters["reference_count"] == 1
