"""Subjects that NATS accepts, whatever an object is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.events.stream import StreamSettings
from threeport.store.records import Key


@pytest.mark.parametrize(
    ("key", "subject"),
    [
        (Key("workloads.threeport.io", "team-a", "web"), "threeport.workloads_threeport_io.team-a.web"),
        (Key("namespaces", "", "team-a"), "threeport.namespaces._.team-a"),
        (Key("clusterroles", "", "system:node"), "threeport.clusterroles._.system_node"),
        (Key("crds", "", "a.b.c"), "threeport.crds._.a_b_c"),
    ],
)
def test_the_parts_of_a_key_become_tokens(key: Key, subject: str) -> None:
    assert StreamSettings().subject_of(key) == subject


@given(st.builds(Key, st.text(), st.text(), st.text()))
def test_any_key_makes_a_subject_of_four_tokens_without_wildcards_or_spaces(key: Key) -> None:
    tokens = StreamSettings(prefix="p").subject_of(key).split(".")
    assert tokens[0] == "p"
    assert len(tokens) == 4
    assert all(token and not set(token) & set("*> \t\r\n\0") for token in tokens)
