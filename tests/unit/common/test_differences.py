"""Two states of an object are compared field by field, and lists by what names their items."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.differences import ABSENT, differences, given_differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", 1, 2)]),
        ({"a": 1}, {}, [("a", 1, ABSENT)]),
        ({}, {"a": {"b": 1}}, [("a", ABSENT, {"b": 1})]),
        ({"a": None}, {}, [("a", None, ABSENT)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"m": {"x.io/y": "1"}}, {"m": {"x.io/y": "2"}}, [("m[x.io/y]", "1", "2")]),
        ({"args": ["a", "b"]}, {"args": ["a"]}, [("args", ["a", "b"], ["a"])]),
        (
            {"c": [{"name": "web", "image": "a"}]},
            {"c": [{"name": "log", "image": "x"}, {"name": "web", "image": "b"}]},
            [("c[name=web].image", "a", "b"), ("c[name=log]", ABSENT, {"name": "log", "image": "x"})],
        ),
        ({"c": []}, {"c": [{"name": "a"}]}, [("c[name=a]", ABSENT, {"name": "a"})]),
        (
            {"c": [{"name": "a"}, {"name": "b"}]},
            {"c": [{"name": "b"}, {"name": "a"}]},
            [("c (order)", ["name=a", "name=b"], ["name=b", "name=a"])],
        ),
        (
            {"ports": [{"containerPort": 80}]},
            {"ports": [{"containerPort": 80, "protocol": "UDP"}]},
            [("ports[containerPort=80].protocol", ABSENT, "UDP")],
        ),
        ({"r": [{"x": {}}, {"x": {}}]}, {"r": [{"x": {}}]}, [("r[1]", {"x": {}}, ABSENT)]),
        (
            {"manifests": [{"kind": "Service", "metadata": {"name": "a"}, "spec": 1}]},
            {"manifests": [{"kind": "Service", "metadata": {"name": "a"}, "spec": 2}]},
            [("manifests[Service/a].spec", 1, 2)],
        ),
    ],
)
def test_every_field_that_differs_is_named_with_both_values(old: Any, new: Any, found: list[Any]) -> None:
    assert [tuple(one) for one in differences(old, new)] == found


def test_what_others_added_is_no_difference_from_what_is_given() -> None:
    live = {"spec": {"replicas": 1, "ports": [{"name": "a", "nodePort": 3}, {"name": "b"}], "x": 1}}
    manifest = {"spec": {"replicas": 2, "ports": [{"name": "a"}, {"name": "c"}]}}
    found = [(one.path, one.old, one.new) for one in given_differences(live, manifest)]
    assert found == [("spec.replicas", 1, 2), ("spec.ports[name=c]", ABSENT, {"name": "c"})]


def test_what_is_absent_is_left_out_of_the_json() -> None:
    (found,) = differences({}, {"a": None})
    assert found.as_json() == {"path": "a", "new": None}


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []


@given(JSON, JSON)
def test_values_that_are_not_equal_differ(one: Any, other: Any) -> None:
    if one != other:
        assert list(differences(one, other))
