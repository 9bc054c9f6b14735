"""What a transaction promises, and that it passes over nothing it was asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.krm.conftest import GROUP, Answer, Krm, collection, report

REPORTS = collection("default", "workloadreports")


async def run(krm: Krm, *operations: Any, **body: Any) -> Answer:
    return await krm.call("POST", f"{GROUP}/transactions", {"operations": list(operations), **body})


def to(operation: str, obj: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"operation": operation, "object": obj, **more}


def new(name: str, **metadata: Any) -> dict[str, Any]:
    obj = report(name, "default")
    obj["metadata"] |= metadata
    return obj


async def code_of(krm: Krm, name: str) -> int:
    return (await krm.call("GET", f"{REPORTS}/{name}")).status


@pytest.mark.parametrize("wanted", [True, "All", ["All"]])
async def test_a_dry_run_changes_nothing_however_it_is_asked_for(krm: Krm, wanted: Any) -> None:
    done = await run(krm, to("create", new("a")), to("create", new("b")), dryRun=wanted)
    assert done.status == 200
    assert [each["metadata"]["name"] for each in done.body["results"]] == ["a", "b"]
    assert await code_of(krm, "a") == 404


@pytest.mark.parametrize("wanted", ["yes", "all", 1, {}, ["all"], "true"])
async def test_a_dry_run_that_is_asked_for_in_no_known_way_is_refused(krm: Krm, wanted: Any) -> None:
    refused = await run(krm, to("create", new("a")), dryRun=wanted)
    assert refused.status == 400
    assert "dryRun" in refused.body["message"]
    assert await code_of(krm, "a") == 404


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        (to("create", new("a"), precondition={"uid": "x"}), "precondition"),
        (to("create", new("a"), preconditions={"uid": "x"}), "preconditions"),
        (to("apply", new("a"), fieldManger="x"), "fieldManger"),
        (to("apply", new("a"), fieldManager=5), "fieldManager"),
        (to("apply", new("a"), fieldManager="x" * 200), "fieldManager"),
        (to("apply", new("a"), force="no"), "force"),
        (to("delete", new("a"), propagationPolicy="Sometime"), "propagationPolicy"),
    ],
)
async def test_what_is_not_known_of_an_operation_is_refused_by_name(krm: Krm, operation: Any, field: str) -> None:
    refused = await run(krm, to("create", new("first")), operation)
    assert refused.status in (400, 422)
    assert "operations[1]" in refused.body["message"]
    assert field in refused.body["message"]
    assert await code_of(krm, "first") == 404


async def test_a_deletion_keeps_to_its_conditions(krm: Krm) -> None:
    (made,) = (await run(krm, to("create", new("a")))).body["results"]
    uid, revision = made["metadata"]["uid"], made["metadata"]["resourceVersion"]
    for operation in (
        to("delete", new("a", uid="another")),
        to("delete", new("a"), preconditions={"uid": "another"}),
        to("delete", new("a"), preconditions={"resourceVersion": "5"}),
    ):
        refused = await run(krm, to("create", new("b")), operation)
        assert (refused.status, refused.body["reason"]) == (409, "Conflict")
        assert refused.body["message"].startswith("operation 1 (delete WorkloadReport default/a)")
    assert [await code_of(krm, name) for name in "ab"] == [200, 404]
    done = await run(krm, to("delete", new("a", uid=uid), preconditions={"resourceVersion": revision}))
    assert done.status == 200
    assert await code_of(krm, "a") == 404


async def test_owners_of_the_same_transaction_need_no_uid(krm: Krm) -> None:
    owner = {"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadReport", "name": "owner"}
    done = await run(krm, to("create", new("owner")), to("create", new("owned", ownerReferences=[owner])))
    first, second = done.body["results"]
    assert second["metadata"]["ownerReferences"] == [{**owner, "uid": first["metadata"]["uid"]}]


async def test_an_owner_without_a_uid_is_refused_with_its_place(krm: Krm) -> None:
    owner = {"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadReport", "name": "owner", "uid": ""}
    # An owner that comes later is not known yet.
    refused = await run(krm, to("create", new("owned", ownerReferences=[owner])), to("create", new("owner")))
    assert refused.status == 422
    (cause,) = refused.body["details"]["causes"]
    assert cause["field"] == "operations[0].object.metadata.ownerReferences[0]"
    assert refused.body["details"]["kind"] == "WorkloadReport"
    assert refused.body["details"]["group"] == "threeport.io"


async def test_a_conflict_of_managers_names_the_field_within_its_operation(krm: Krm) -> None:
    assert (await run(krm, to("apply", new("a"), fieldManager="one"))).status == 200
    changed = new("a")
    changed["spec"]["message"] = "another"
    one = await run(krm, to("apply", changed, fieldManager="one"))
    assert one.status == 200
    changed["spec"]["message"] = "a third"
    refused = await run(krm, to("apply", changed, fieldManager="two"))
    assert refused.status == 409
    fields = [cause["field"] for cause in refused.body["details"]["causes"]]
    assert fields == ["operations[0].object.spec.message"]


async def test_a_thousand_objects_are_made_and_one_more_is_too_many(krm: Krm) -> None:
    too_many = await run(krm, *(to("create", new(f"n{number}")) for number in range(1001)))
    assert too_many.status == 413
    assert "1000" in too_many.body["message"]
    done = await run(krm, *(to("create", new(f"n{number}")) for number in range(1000)))
    assert len(done.body["results"]) == 1000
    assert len({each["metadata"]["resourceVersion"] for each in done.body["results"]}) == 1000
