"""What a cycle does follows from what should be there, what is there, and what was put there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operators.workload.inventory import applied_item_of, id_of, inventory_of, item_of, united, without
from operators.workload.plan import make_plan
from threeport.common.types import JsonObject
from threeport.kube.manifest import prepared
from threeport.resources.manifests import ObjectId


def manifest(name: str, value: str = "1", kind: str = "ConfigMap") -> JsonObject:
    metadata = {"name": name, "namespace": "n"}
    return prepared({"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": {"v": value}})


def in_cluster(made: JsonObject) -> JsonObject:
    fields = {"f:metadata": {}, "f:data": {}}
    entry = {"manager": "threeport", "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields}
    return {**made, "metadata": {**made["metadata"], "uid": "u", "managedFields": [entry]}}


def live_of(*objects: JsonObject) -> dict[ObjectId, JsonObject]:
    return {id_of(item_of(obj)): in_cluster(obj) for obj in objects}


def test_nothing_is_done_where_all_is_as_it_should_be() -> None:
    wanted = [manifest("a"), manifest("b")]
    plan = make_plan(wanted, live_of(*wanted), [item_of(one) for one in wanted], settled=True)
    assert (list(plan.apply), list(plan.prune), dict(plan.drifted)) == ([], [], {})


def test_what_is_missing_or_changed_is_applied() -> None:
    wanted = [manifest("a"), manifest("b", "2"), manifest("c")]
    plan = make_plan(wanted, live_of(manifest("a"), manifest("b", "1")), [], settled=False)
    assert [one["metadata"]["name"] for one in plan.apply] == ["b", "c"]
    assert not plan.drifted


def test_what_was_there_and_is_missing_has_drifted() -> None:
    plan = make_plan([manifest("a")], {}, [item_of(manifest("a"))], settled=True)
    assert dict(plan.drifted) == {id_of(item_of(manifest("a"))): ()}


def test_a_job_that_goes_when_it_has_ended_is_not_applied_again_unless_its_manifest_is_another() -> None:
    spec = {"ttlSecondsAfterFinished": 60}
    job = prepared({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n"}, "spec": spec})
    other = prepared({**job, "spec": {"ttlSecondsAfterFinished": 61}})
    lasting = prepared({**job, "spec": {}})
    for wanted, noted, again in (
        (job, applied_item_of(job), False),
        (job, item_of(job), True),
        (other, applied_item_of(job), True),
        (lasting, applied_item_of(lasting), True),
    ):
        plan = make_plan([wanted], {}, [noted], settled=True)
        assert (bool(plan.apply), bool(plan.drifted)) == (again, again)


def test_what_left_the_definition_is_pruned_in_reverse_order_if_it_is_still_there() -> None:
    former = [manifest("a", kind="Namespace"), manifest("b"), manifest("c", kind="Deployment"), manifest("gone")]
    plan = make_plan([], live_of(*former[:3]), [item_of(one) for one in former], settled=False)
    assert [item["name"] for item in plan.prune] == ["c", "b", "a"]


def test_what_holds_something_that_is_wanted_is_kept_when_it_leaves_the_definition() -> None:
    names = {"group": "example.com", "names": {"kind": "Widget"}}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": names}
    widgets, space = {**kind, "metadata": {"name": "widgets.example.com"}}, manifest("n", kind="Namespace")
    widget = prepared({"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}})
    for holder, wanted in ((space, manifest("a")), (widgets, widget)):
        noted = [item_of(holder), item_of(wanted)]
        plan = make_plan([wanted], live_of(prepared(holder), wanted), noted, settled=True)
        assert (list(plan.prune), list(plan.kept)) == ([], [item_of(holder)])
        plan = make_plan([], live_of(prepared(holder), wanted), noted, settled=True)
        assert [item["name"] for item in plan.prune] == [wanted["metadata"]["name"], holder["metadata"]["name"]]


def test_what_never_stood_in_the_inventory_is_never_pruned() -> None:
    assert make_plan([], live_of(manifest("pod-of-a-deployment")), [], settled=False).prune == []


names = st.lists(st.sampled_from("abcdef"), unique=True)


@given(names, names)
def test_the_inventory_of_intent_holds_old_and_new_once(old: list[str], new: list[str]) -> None:
    before, after = [item_of(manifest(name)) for name in old], [item_of(manifest(name)) for name in new]
    both = united(before, after)
    assert {item["name"] for item in both} == {*old, *new}
    assert len(both) == len({*old, *new})
    assert united(both, after) == both
    assert {item["name"] for item in without(both, after)} == {*old} - {*new}


def test_the_same_object_in_another_version_of_its_group_is_the_same() -> None:
    first = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a", "namespace": "n"}
    assert len(united([first], [{**first, "apiVersion": "apps/v1beta1"}])) == 1
    assert inventory_of(None) == []


def test_what_is_on_its_way_out_is_not_taken_for_settled() -> None:
    wanted = [manifest("a")]
    live = live_of(*wanted)
    for obj in live.values():
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert make_plan(wanted, live, [], settled=False).apply == wanted
    assert list(make_plan(wanted, live, [], settled=True).drifted.values()) == [()]
