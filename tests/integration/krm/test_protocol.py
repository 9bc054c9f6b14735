"""What clients of Kubernetes say around an object, and what they are told: found by asking a real API server too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.krm.conftest import GROUP, Krm, collection, report, workload
from threeport.common.revisions import SECOND, revision_of, system_micros
from threeport.store.database import Database

REPORTS = collection("default", "workloadreports")
MERGE = "application/merge-patch+json"


async def create(krm: Krm, name: str) -> dict[str, Any]:
    """A WorkloadReport, which nothing holds."""
    answer = await krm.call("POST", REPORTS, report(name, "default"))
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body
    return made


async def test_errors_name_the_resource_and_its_group_and_invalid_ones_the_kind(krm: Krm) -> None:
    missing = await krm.call("GET", f"{REPORTS}/nothing")
    assert missing.body["details"] == {"name": "nothing", "group": "threeport.io", "kind": "workloadreports"}
    invalid = await krm.call("POST", REPORTS, {**report("r", "default"), "spec": {}})
    assert (invalid.status, invalid.body["details"]["kind"]) == (422, "WorkloadReport")
    nameless = await krm.call("POST", REPORTS, {**report("r", "default"), "metadata": {}})
    assert (nameless.status, "name" in nameless.body["details"]) == (422, False)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_the_form_of_a_web_page_can_send_makes_no_object(krm: Krm, media_type: str) -> None:
    body = report("r", "default")
    assert (await krm.call("POST", REPORTS, body, content_type=media_type)).status == 415
    await create(krm, "r")
    assert (await krm.call("PUT", f"{REPORTS}/r", body, content_type=media_type)).status == 415


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ("resourceVersion=foo", 400, "BadRequest"),
        ("resourceVersionMatch=Foo&resourceVersion=1", 422, "Invalid"),
        ("resourceVersionMatch=NotOlderThan", 422, "Invalid"),
        ("resourceVersionMatch=Exact&resourceVersion=1", 410, "Expired"),
        ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0", 422, "Invalid"),
        ("resourceVersion={future}", 504, "Timeout"),
        ("resourceVersionMatch=NotOlderThan&resourceVersion=0", 200, None),
    ],
)
async def test_a_list_refuses_what_it_cannot_be_asked(krm: Krm, query: str, code: int, reason: str | None) -> None:
    future = revision_of(system_micros() + 600 * SECOND)
    answer = await krm.call("GET", f"{REPORTS}?{query.format(future=future)}")
    assert (answer.status, answer.body.get("reason")) == (code, reason)
    if code == 504:
        assert answer.headers["Retry-After"] == "1"
        assert answer.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


async def test_a_list_is_not_older_than_any_revision_that_an_answer_had(krm: Krm) -> None:
    made = await create(krm, "r")
    listed = await krm.call("GET", f"{REPORTS}?resourceVersion={made['metadata']['resourceVersion']}")
    assert [item["metadata"]["name"] for item in listed.body["items"]] == ["r"]


@pytest.mark.parametrize("switch", ["watch", "watch=", "watch=yes", "watch=1", "watch=True"])
async def test_a_switch_is_on_unless_it_says_false(krm: Krm, switch: str) -> None:
    await create(krm, "r")
    watched = await krm.call("GET", f"{REPORTS}?{switch}&timeoutSeconds=1")
    assert watched.body["type"] == "ADDED"
    for off in ("watch=false", "watch=0", "watch=False"):
        assert (await krm.call("GET", f"{REPORTS}?{off}")).body["kind"] == "WorkloadReportList"


async def test_deleting_many_keeps_to_the_limit(krm: Krm) -> None:
    for name in ("a", "b", "c"):
        await create(krm, name)
    assert (await krm.call("DELETE", f"{REPORTS}?limit=2")).status == 200
    assert [item["metadata"]["name"] for item in (await krm.call("GET", REPORTS)).body["items"]] == ["c"]


@pytest.mark.parametrize(
    ("query", "body"),
    [("?gracePeriodSeconds=soon", None), ("", {"gracePeriodSeconds": "soon"}), ("", {"gracePeriodSeconds": [0]})],
)
async def test_a_grace_period_that_is_no_number_is_refused(krm: Krm, query: str, body: Any) -> None:
    await create(krm, "r")
    answer = await krm.call("DELETE", f"{REPORTS}/r{query}", body)
    assert (answer.status, "gracePeriodSeconds" in answer.body["message"]) == (400, True)
    assert (await krm.call("DELETE", f"{REPORTS}/r?gracePeriodSeconds=0", {"gracePeriodSeconds": 0})).status == 200


async def test_old_clients_orphan_by_another_name(krm: Krm) -> None:
    owner = await create(krm, "owner")
    reference = {"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadReport", "name": "owner"}
    owned = report("owned", "default")
    owned["metadata"]["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"]}]
    assert (await krm.call("POST", REPORTS, owned)).status == 201
    answer = await krm.call("DELETE", f"{REPORTS}/owner", {"orphanDependents": True})
    assert answer.body["metadata"]["finalizers"] == ["orphan"]


async def test_a_namespace_can_be_selected_by_its_name(krm: Krm) -> None:
    await krm.namespace("other")
    selected = await krm.call("GET", "/api/v1/namespaces?labelSelector=kubernetes.io/metadata.name=other")
    assert [item["metadata"]["name"] for item in selected.body["items"]] == ["other"]
    removed = await krm.call("PATCH", "/api/v1/namespaces/other", {"metadata": {"labels": None}}, content_type=MERGE)
    assert removed.body["metadata"]["labels"] == {"kubernetes.io/metadata.name": "other"}


async def test_reviews_are_told_of_in_discovery_and_described(krm: Krm) -> None:
    groups = {group["name"] for group in (await krm.call("GET", "/apis")).body["groups"]}
    assert groups == {"threeport.io", "authorization.k8s.io", "authentication.k8s.io"}
    for group, plural in (("authorization", "selfsubjectaccessreviews"), ("authentication", "selfsubjectreviews")):
        path = f"apis/{group}.k8s.io/v1"
        (found,) = [entry for entry in (await krm.call("GET", f"/{path}")).body["resources"] if entry["name"] == plural]
        assert found["verbs"] == ["create"]
        document = (await krm.call("GET", f"/openapi/v3/{path}")).body
        assert list(document["paths"][f"/{path}/{plural}"]) == ["post"]
        assert (await krm.call("GET", f"/{path}/{plural}")).status == 404


async def test_kubernetes_shards_part_the_objects_between_them(krm: Krm) -> None:
    for number in range(9):
        await create(krm, f"r{number}")
    borders = [0, 0x5555555555555555, 0xAAAAAAAAAAAAAAAA, 2**64]
    names: list[str] = []
    for start, end in zip(borders, borders[1:], strict=False):
        selector = f"shardRange(object.metadata.uid,'0x{start:016x}','0x{end:016x}')"
        answer = await krm.call("GET", f"{REPORTS}?shardSelector={selector}")
        names += [item["metadata"]["name"] for item in answer.body["items"]]
    assert sorted(names) == [f"r{number}" for number in range(9)]
    uneven = "shardRange(object.metadata.uid,'0x0','0x10')"
    assert (await krm.call("GET", f"{REPORTS}?shardSelector={uneven}")).status == 400


async def test_who_resumes_from_the_object_that_it_listed_by_name_is_told_nothing_twice(krm: Krm) -> None:
    for _ in range(2):
        await create(krm, "r")
        await krm.call("DELETE", f"{REPORTS}/r")
    made = await create(krm, "r")
    query = "fieldSelector=metadata.name=r"
    revision = (await krm.call("GET", f"{REPORTS}?{query}")).revision
    assert revision == made["metadata"]["resourceVersion"]
    async with krm.watch(REPORTS, fieldSelector="metadata.name=r", resourceVersion=revision) as events:
        await krm.call("PATCH", f"{REPORTS}/r", {"spec": {"message": "m"}}, content_type=MERGE)
        assert (await events.next())["object"]["spec"]["message"] == "m"
        await krm.call("DELETE", f"{REPORTS}/r")
        assert (await events.next())["type"] == "DELETED"


async def test_a_watch_of_the_state_is_not_told_the_end_of_what_was_replaced_before(krm: Krm) -> None:
    await create(krm, "r")
    await krm.call("DELETE", f"{REPORTS}/r")
    made = await create(krm, "r")
    initial = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with krm.watch(REPORTS, fieldSelector="metadata.name=r", **initial) as events:
        assert (await events.next())["type"] == "ADDED"
        end = await events.next()
        assert end["object"]["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
        await krm.call("DELETE", f"{REPORTS}/r")
        last = await events.next()
    assert (last["type"], last["object"]["metadata"]["uid"]) == ("DELETED", made["metadata"]["uid"])


async def test_a_write_that_waits_too_long_is_told_so_and_when_to_come_again(krm: Krm, database: Database) -> None:
    await create(krm, "r")
    async with database.dedicated_connection() as other, other.transaction():
        await other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await other.execute("SELECT * FROM objects WHERE name = 'r' FOR UPDATE")
        answer = await krm.call("PATCH", f"{REPORTS}/r", {"spec": {"message": "m"}}, content_type=MERGE)
    assert (answer.status, answer.body["reason"], answer.headers["Retry-After"]) == (504, "Timeout", "1")
    assert "nothing was changed: it took longer than" in answer.body["message"]


async def test_events_show_when_what_and_about_which_object(krm: Krm) -> None:
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "default"}, "reason": "Tested",
        "type": "Normal", "message": "m", "involvedObject": {"kind": "Workload", "name": "w"},
    }  # fmt: skip
    assert (await krm.call("POST", "/api/v1/namespaces/default/events", event)).status == 201
    table = (await krm.call("GET", "/api/v1/events", Accept="application/json;as=Table;v=v1;g=meta.k8s.io")).body
    shown = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert shown == ["Last Seen", "Type", "Reason", "Object", "Message"]
    assert "Workload/w" in table["rows"][0]["cells"]


async def test_an_error_about_another_kind_than_that_of_the_path_says_so(krm: Krm) -> None:
    answer = await krm.call("POST", f"{GROUP}/namespaces/nowhere/workloads", workload("w", "nowhere"))
    assert (answer.status, answer.body["details"]) == (404, {"name": "nowhere", "kind": "namespaces"})
