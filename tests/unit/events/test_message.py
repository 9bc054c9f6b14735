"""Messages carry changes unharmed."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.conftest import MakeEvent
from threeport.events.message import Reference, decode, encode, identity_of, message_id
from threeport.store.records import Key, StoredObject

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
labels = st.dictionaries(texts, texts, max_size=3)
objects = st.builds(
    StoredObject,
    key=st.builds(Key, texts, texts, texts),
    uid=texts,
    revision=st.integers(0, 2**63 - 1),
    generation=st.integers(0, 2**31),
    body=texts.filter(bool),
    labels=labels,
    former=st.none() | st.lists(labels, max_size=3).map(tuple),
    bookkeeping=st.dictionaries(texts, labels, max_size=2),
    deleted=st.booleans(),
    deleting=st.booleans(),
)


@given(objects)
def test_a_change_arrives_as_it_was_sent(change: StoredObject) -> None:
    assert decode(encode(change)) == change


def test_labels_may_be_any_mapping(event: MakeEvent) -> None:
    change = replace(event("a", "1", 5), labels=MappingProxyType({"k": "v"}))
    arrived = decode(encode(change))
    assert isinstance(arrived, StoredObject)
    assert arrived.labels == {"k": "v"}


def test_of_a_change_over_the_limit_only_a_reference_is_sent(event: MakeEvent) -> None:
    change = event("a", "1", 5)
    size = len(encode(change))
    assert decode(encode(change, limit=size)) == change
    assert decode(encode(change, limit=size - 1)) == Reference(change.key, "1", 5)


def test_the_limit_counts_bytes_not_characters(event: MakeEvent) -> None:
    change = replace(event("a", "1", 5), body="ä" * 500_000)
    assert decode(encode(change)) == Reference(change.key, "1", 5)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"[]", b"[]\n{}", b"{}", b"{}\n{}", b'{"key":"abc"}\n{}', b'{"key":[1,2,3]}']
)
def test_what_is_no_message_is_told_as_such(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a message about a change"):
        decode(data)


@given(st.binary())
def test_no_bytes_do_worse_than_being_told_as_such(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        pass


def test_the_id_of_a_message_tells_resource_uid_and_revision() -> None:
    assert message_id("things.example.org", "u", 7) == "things.example.org:u:7"
    assert identity_of("things.example.org:u:7") == ("things.example.org", "u", 7)


@pytest.mark.parametrize("text", ["", "u:7", "things:u", "things:u:x", "things:u:-7", "things:u:7:8"])
def test_what_is_no_id_of_ours_tells_nothing(text: str) -> None:
    assert identity_of(text) is None
