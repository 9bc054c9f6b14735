"""Server-side apply: who owns what, who conflicts with whom, and what is removed."""

from __future__ import annotations

from typing import Any

import pytest

from threeport.common.errors import Conflict
from threeport.krm.apply.applying import applied
from threeport.krm.apply.fieldsv1 import fields_of, from_json, to_json
from threeport.krm.apply.managers import managers_of
from threeport.krm.apply.tracking import track_update
from threeport.resources.kind import Kind

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
                    },
                },
                "names": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "args": {"type": "array", "items": {"type": "string"}},
            },
        }
    },
}
KIND = Kind(kind="Thing", plural="things", singular="thing", group="example.com", version="v1", schema=SCHEMA)


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec}


def owners(obj: dict[str, Any]) -> dict[str, set[tuple[str, ...]]]:
    return {manager.name: manager.fields for manager in managers_of(obj)}


def test_managers_share_a_field_on_which_they_agree() -> None:
    obj = applied(KIND, None, thing(a=1), manager="one", force=False)
    obj = applied(KIND, obj, thing(a=1, b=2), manager="two", force=False)
    assert obj["spec"] == {"a": 1, "b": 2}
    assert ("f:spec", "f:a") in owners(obj)["one"] & owners(obj)["two"]


def test_a_field_with_another_value_of_another_owner_is_a_conflict_until_forced() -> None:
    obj = applied(KIND, None, thing(a=1), manager="one", force=False)
    with pytest.raises(Conflict) as refused:
        applied(KIND, obj, thing(a=2), manager="two", force=False)
    assert [cause.field for cause in refused.value.causes] == [".spec.a"]
    assert 'conflict with "one"' in refused.value.message
    forced = applied(KIND, obj, thing(a=2), manager="two", force=True)
    assert forced["spec"] == {"a": 2}
    assert "one" not in owners(forced)


def test_what_a_manager_leaves_out_is_removed_unless_another_owns_it() -> None:
    obj = applied(KIND, None, thing(a=1, b=2, c={"d": 1}), manager="one", force=False)
    obj = applied(KIND, obj, thing(b=2), manager="two", force=False)
    obj = applied(KIND, obj, thing(a=1), manager="one", force=False)
    assert obj["spec"] == {"a": 1, "b": 2}


def test_items_of_a_keyed_list_belong_to_those_who_applied_them() -> None:
    obj = applied(KIND, None, thing(ports=[{"name": "http", "port": 80}]), manager="one", force=False)
    obj = applied(KIND, obj, thing(ports=[{"name": "dns", "port": 53}]), manager="two", force=False)
    assert [port["name"] for port in obj["spec"]["ports"]] == ["http", "dns"]
    obj = applied(KIND, obj, thing(ports=[]), manager="one", force=False)
    assert obj["spec"]["ports"] == [{"name": "dns", "port": 53}]


def test_sets_merge_and_atomic_lists_replace() -> None:
    obj = applied(KIND, None, thing(names=["a"], args=["x"]), manager="one", force=False)
    obj = applied(KIND, obj, thing(names=["b"]), manager="two", force=False)
    assert obj["spec"]["names"] == ["a", "b"]
    with pytest.raises(Conflict):
        applied(KIND, obj, thing(args=["y"]), manager="two", force=False)


def test_what_was_there_before_the_first_apply_has_an_owner_too() -> None:
    obj = applied(KIND, thing(a=1), thing(b=2), manager="one", force=False)
    assert obj["spec"] == {"a": 1, "b": 2}
    with pytest.raises(Conflict, match="before-first-apply"):
        applied(KIND, thing(a=1), thing(a=2), manager="one", force=False)


def test_an_update_takes_over_what_it_changes() -> None:
    old = applied(KIND, None, thing(a=1, b=2), manager="one", force=False)
    new = {**old, "spec": {"a": 5}}
    track_update(KIND, old, new, manager="edit")
    assert owners(new) == {"edit": {("f:spec", "f:a")}}


def test_an_update_of_an_object_never_applied_keeps_no_books() -> None:
    new = thing(a=2)
    track_update(KIND, thing(a=1), new, manager="edit")
    assert "managedFields" not in new["metadata"]


def test_applying_the_same_again_changes_nothing() -> None:
    config = thing(a=1, ports=[{"name": "http", "port": 80}], names=["x"])
    obj = applied(KIND, None, config, manager="one", force=False)
    obj = applied(KIND, obj, thing(z=1), manager="two", force=False)
    assert applied(KIND, obj, config, manager="one", force=False) == obj


def test_field_sets_survive_their_form_in_json() -> None:
    fields = fields_of(thing(a=1, ports=[{"name": "http", "port": 80}], names=["x"], deep={"er": {}}), SCHEMA)
    assert from_json(to_json(fields)) == fields
    assert to_json(fields)["f:spec"]["f:ports"]['k:{"name":"http"}'] == {".": {}, "f:name": {}, "f:port": {}}
