"""Strategic merge patches do what kube-apiserver 1.36 does, and what ends its connections or is its 500 is a 400."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.common.errors import BadRequest
from threeport.krm.strategic import strategic_merged

CONTAINER: dict[str, Any] = {
    "name": "c",
    "args": ["1", "2"],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}],
    "labels": {"x": "y"},
    "finalizers": ["a/b", "c/d"],
}


def patched(**patch: Any) -> dict[str, Any]:
    return strategic_merged(copy.deepcopy(CONTAINER), patch)


@pytest.mark.parametrize(
    ("patch", "names"),
    [
        ([{"name": "C"}], "CAB"),
        ([{"name": "A", "value": "3"}], "AB"),
        ([{"name": "B", "value": "3"}], "AB"),
        ([{"name": "B"}, {"name": "A"}], "BA"),
        ([{"name": "A"}, {"name": "N"}], "ANB"),
        ([{"name": "C"}, {"name": "A", "$patch": "delete"}], "CB"),
        ([{"name": "A", "$patch": "delete"}, {"name": "A"}], "AB"),
        ([{"name": "N", "$patch": "delete"}], "AB"),
        ([{"$patch": "replace"}, {"name": "Z"}], "Z"),
        ([{"name": "A", "$patch": "replace", "value": "9"}], ""),
        ([], "AB"),
    ],
)
def test_items_of_a_list_merge_in_the_order_of_the_patch(patch: list[Any], names: str) -> None:
    assert "".join(item["name"] for item in patched(env=patch)["env"]) == names


@pytest.mark.parametrize(
    ("order", "patch", "names"),
    [
        ("BA", None, "BA"),
        ("BCA", [{"name": "C"}], "BCA"),
        ("CA", [{"name": "C"}], "CAB"),
        ("B", [], "AB"),
    ],
)
def test_an_order_is_followed_and_what_it_does_not_name_stays_where_it_was(
    order: str, patch: list[Any] | None, names: str
) -> None:
    wanted = {"$setElementOrder/env": [{"name": name} for name in order]}
    changed = patched(**wanted, **({} if patch is None else {"env": patch}))
    assert "".join(item["name"] for item in changed["env"]) == names


@pytest.mark.parametrize(
    ("patch", "finalizers"),
    [
        ({"$deleteFromPrimitiveList/finalizers": ["a/b"]}, ["c/d"]),
        ({"$deleteFromPrimitiveList/finalizers": ["a/b"], "finalizers": ["e/f"]}, ["e/f", "c/d"]),
        ({"$deleteFromPrimitiveList/finalizers": ["e/f"], "finalizers": ["e/f"]}, ["e/f", "a/b", "c/d"]),
        ({"finalizers": ["a/b", "a/b", "e/f"]}, ["a/b", "e/f", "c/d"]),
        ({"finalizers": []}, ["a/b", "c/d"]),
        ({"$setElementOrder/finalizers": ["e/f", "c/d", "a/b"], "finalizers": ["e/f"]}, ["e/f", "c/d", "a/b"]),
        ({"$setElementOrder/finalizers": ["c/d", "a/b"]}, ["c/d", "a/b"]),
    ],
)
def test_a_set_keeps_what_the_patch_does_not_name(patch: dict[str, Any], finalizers: list[str]) -> None:
    assert patched(**patch)["finalizers"] == finalizers


@pytest.mark.parametrize(
    "patch",
    [
        {"$deleteFromPrimitiveList/nothing": ["a"]},
        {"$deleteFromPrimitiveList/labels": ["x"]},
        {"$setElementOrder/labels": ["x"]},
        {"$setElementOrder/args": ["2", "1"]},
        {"$setElementOrder/nothing": ["x"]},
    ],
)
def test_directives_for_what_is_no_list_that_merges_change_nothing(patch: dict[str, Any]) -> None:
    assert patched(**patch) == CONTAINER


def test_items_that_share_a_merge_key_stay_all() -> None:
    ports = patched(ports=[{"containerPort": 80, "name": "web"}, {"containerPort": 81}])["ports"]
    assert [(port["containerPort"], port.get("protocol"), port.get("name")) for port in ports] == [
        (80, "TCP", "web"), (80, "UDP", None), (81, None, None),
    ]  # fmt: skip


def test_only_the_keys_to_retain_stay() -> None:
    assert patched(labels={"$retainKeys": ["q"], "q": "r"})["labels"] == {"q": "r"}
    assert patched(labels={"$retainKeys": ["x"]})["labels"] == {"x": "y"}


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"$deleteFromPrimitiveList/finalizers": None}, "is no directive"),
        ({"$deleteFromPrimitiveList/finalizers": "a/b"}, "is no directive"),
        ({"$deleteFromPrimitiveList/finalizers": [{"a": "b"}]}, "something else than texts"),
        ({"$deleteFromPrimitiveList": ["a/b"]}, "is no directive"),
        ({"finalizers": [{"a": 1}]}, "something else than texts"),
        ({"$setElementOrder/finalizers": [["a"]]}, "something else than texts"),
        ({"$setElementOrder/finalizers": "x"}, "is no directive"),
        ({"$setElementOrder": ["x"]}, "is no directive"),
        ({"$setElementOrder/finalizers": ["c/d"], "finalizers": ["e/f"]}, "not in the order"),
        ({"$setElementOrder/env": [{"name": "B"}], "env": [{"name": "C"}]}, "not in the order"),
        ({"$setElementOrder/env": ["B"]}, "neither text nor a number"),
        ({"$setElementOrder/env": [{"name": {"a": 1}}]}, "neither text nor a number"),
        ({"env": [{"name": {"a": "b"}}]}, "neither text nor a number"),
        ({"env": [{"name": ["a"]}]}, "neither text nor a number"),
        ({"env": [{"name": None}]}, "neither text nor a number"),
        ({"env": [{"value": "3"}]}, "without name"),
        ({"env": [{"$patch": "delete"}]}, "without name"),
        ({"env": ["x"]}, "without name"),
        ({"env": [None]}, "without name"),
        ({"ports": [{"name": "web"}]}, "without containerPort"),
        ({"env": [{"name": "A", "$patch": "nonsense"}]}, "not one of merge, replace, delete"),
        ({"env": [{"name": "A", "$patch": ["x"]}]}, "not one of merge, replace, delete"),
        ({"labels": {"$patch": None}}, "not one of merge, replace, delete"),
        ({"labels": {"$patch": {}}}, "not one of merge, replace, delete"),
        ({"labels": {"$retainKeys": "q"}}, "no list of field names"),
        ({"labels": {"$retainKeys": None}}, "no list of field names"),
        ({"labels": {"$retainKeys": [1, {}]}}, "no list of field names"),
        ({"labels": {"$retainKeys": ["x"], "q": "r"}}, "no list of field names"),
        ({"$patch": "delete"}, "send DELETE"),
    ],
)
def test_what_is_no_directive_is_told(patch: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        patched(**patch)


NAMES = ("env", "ports", "finalizers", "labels", "name", "containerPort", "args")
LISTS = [f"{directive}/{name}" for directive in ("$setElementOrder", "$deleteFromPrimitiveList") for name in NAMES]
KEYS = st.sampled_from([*NAMES, *LISTS, "$patch", "$retainKeys", "$setElementOrder"])
TEXTS = st.sampled_from(["A", "B", "merge", "replace", "delete", *NAMES])
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | TEXTS
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


@given(obj=st.dictionaries(st.sampled_from(NAMES), ANYTHING), patch=st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_any_patch_of_any_object_gives_an_object_or_is_told(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    sent = orjson.dumps(patch)
    try:
        merged = strategic_merged(copy.deepcopy(obj), patch)
    except BadRequest:
        return
    assert isinstance(merged, dict)
    assert orjson.dumps(patch) == sent, "a patch is made again on a newer object"


@given(
    before=st.lists(st.sampled_from("ABCDEF"), unique=True),
    changes=st.lists(st.sampled_from("ABCDEFGH"), unique=True),
    deleted=st.lists(st.sampled_from("ABCDEF"), unique=True),
)
def test_a_list_has_its_items_and_those_of_the_patch_each_once_in_the_order_of_the_patch(
    before: list[str], changes: list[str], deleted: list[str]
) -> None:
    patch = [*({"name": name} for name in changes), *({"name": name, "$patch": "delete"} for name in deleted)]
    merged = strategic_merged({"env": [{"name": name} for name in before]}, {"env": patch})["env"]
    names = [item["name"] for item in merged]
    assert sorted(names) == sorted({*(set(before) - set(deleted)), *changes})
    assert [name for name in names if name in changes] == changes
    others = [name for name in names if name not in changes]
    assert others == [name for name in before if name in others]
