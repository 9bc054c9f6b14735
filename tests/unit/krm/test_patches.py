"""Patches change what they say and nothing else."""

from __future__ import annotations

import pytest

from threeport.common.errors import BadRequest, Invalid, RequestTooLarge, UnsupportedMediaType
from threeport.krm.patches import JSON_PATCH, MERGE, STRATEGIC, merge_patched, parse_patch
from threeport.krm.strategic import strategic_merged
from threeport.resources.kind import Kind

KIND = Kind(kind="Thing", plural="things", singular="thing", group="example.com", version="v1")
POD = Kind(kind="Pod", plural="pods", singular="pod")


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_rfc_7386_says(target: object, patch: object, result: object) -> None:
    assert merge_patched(target, patch) == result


def test_a_patch_can_be_made_again_on_a_newer_object() -> None:
    make = parse_patch(KIND, MERGE, b'{"spec": {"list": [{"a": 1}]}}')
    first = make({"spec": {}})
    first["spec"]["list"][0]["a"] = 2
    assert make({"spec": {}}) == {"spec": {"list": [{"a": 1}]}}


def test_a_json_patch_that_does_not_fit_is_invalid_and_one_that_is_none_is_bad() -> None:
    with pytest.raises(Invalid, match="test of /a"):
        parse_patch(KIND, JSON_PATCH, b'[{"op": "test", "path": "/a", "value": 1}]')({"a": 2})
    with pytest.raises(BadRequest):
        parse_patch(KIND, JSON_PATCH, b'[{"op": "add"}]')({})


def test_a_json_patch_cannot_grow_an_object_without_bound() -> None:
    copies = ",".join(f'{{"op": "copy", "from": "", "path": "/x{number}"}}' for number in range(60))
    with pytest.raises(RequestTooLarge):
        parse_patch(KIND, JSON_PATCH, f"[{copies}]".encode())({"a": "b" * 1000})


def test_strategic_merge_is_for_kinds_of_kubernetes_only() -> None:
    with pytest.raises(UnsupportedMediaType, match="merge-patch"):
        parse_patch(KIND, STRATEGIC, b"{}")
    assert parse_patch(POD, STRATEGIC, b'{"a": 1}')({}) == {"a": 1}


def test_strategic_merge_merges_lists_by_their_keys() -> None:
    pod = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}
    patch = {
        "$setElementOrder/containers": [{"name": "a"}],
        "containers": [
            {"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}]},
            {"name": "b", "$patch": "delete"},
        ],
    }
    assert strategic_merged(pod, patch) == {
        "containers": [{"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]}]
    }


def test_strategic_merge_replaces_and_deletes_as_told() -> None:
    obj = {"a": {"b": 1, "c": 2}, "d": {"e": 1}, "finalizers": ["x", "y"]}
    patch = {
        "a": {"$patch": "replace", "z": 1},
        "d": {"$patch": "delete"},
        "$deleteFromPrimitiveList/finalizers": ["x"],
    }
    assert strategic_merged(obj, patch) == {"a": {"z": 1}, "finalizers": ["y"]}
