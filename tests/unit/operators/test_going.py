"""What keeps an object that is being deleted is named: the finalizers of others, not the garbage collector's."""

from __future__ import annotations

from operators.workload.going import describe_going, holders_of
from threeport.common.types import JsonObject

POD: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "x", "namespace": "a", "finalizers": ["foregroundDeletion", "example.com/audit"]},
}


def test_an_object_that_nobody_has_deleted_is_held_by_nobody() -> None:
    assert holders_of(POD) == []
    assert describe_going(POD) == "Pod a/x"


def test_finalizers_of_others_are_named() -> None:
    going = {**POD, "metadata": {**POD["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert describe_going(going) == "Pod a/x (held by finalizer example.com/audit)"


def test_a_namespace_says_what_is_left_in_it() -> None:
    conditions = [{"status": "True", "message": "1 resource remains"}, {"status": "False", "message": "nothing else"}]
    namespace = {**POD, "kind": "Namespace", "metadata": {"name": "a"}, "status": {"conditions": conditions}}
    assert describe_going(namespace) == "Namespace a (1 resource remains)"
