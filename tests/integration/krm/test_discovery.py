"""Discovery in one answer, lists without bodies, and what large answers look like."""

from __future__ import annotations

import pytest

from tests.integration.krm.conftest import GROUP, Krm, collection, report

REPORTS = collection("default", "workloadreports")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
async def test_all_groups_and_kinds_come_in_one_answer(krm: Krm, version: str) -> None:
    accept = f"{AGGREGATED.format(version)},application/json"
    answer = await krm.call("GET", "/apis", Accept=accept)
    assert answer.headers["Content-Type"] == AGGREGATED.format(version)
    group = next(item for item in answer.body["items"] if item["metadata"]["name"] == "threeport.io")
    resources = {entry["resource"]: entry for entry in group["versions"][0]["resources"]}
    assert resources["workloads"]["scope"] == "Namespaced"
    assert resources["workloads"]["categories"] == ["threeport", "all"]
    assert [part["subresource"] for part in resources["workloads"]["subresources"]] == ["status"]
    at_the_door = await krm.call("GET", "/apis", controller="workload", Accept=accept)
    assert not any(
        "subresources" in entry for item in at_the_door.body["items"] for entry in item["versions"][0]["resources"]
    )
    core = await krm.call("GET", "/api", Accept=accept)
    assert {entry["resource"] for entry in core.body["items"][0]["versions"][0]["resources"]} >= {"namespaces"}


async def test_who_does_not_ask_for_one_answer_gets_the_list_of_groups(krm: Krm) -> None:
    for accept in ("*/*", "application/json", f"application/json,{AGGREGATED.format('v2')}", AGGREGATED.format("v9")):
        assert (await krm.call("GET", "/apis", Accept=accept)).body["kind"] == "APIGroupList"


async def test_lists_and_watches_can_leave_the_bodies_out(krm: Krm) -> None:
    assert (await krm.call("POST", REPORTS, report("r", "default"))).status == 201
    listed = await krm.call("GET", REPORTS, Accept=METADATA)
    assert listed.body["kind"] == "PartialObjectMetadataList"
    assert set(listed.body["items"][0]) == {"kind", "apiVersion", "metadata"}
    headers = {"Accept": METADATA.replace("MetadataList", "Metadata")}
    async with krm.session.get(f"{krm.url}{REPORTS}?watch=true", headers=headers) as response:
        line = await response.content.readline()
    assert b'"PartialObjectMetadata"' in line
    assert b'"spec"' not in line


async def test_the_initial_events_of_a_watch_end_with_a_bookmark(krm: Krm) -> None:
    assert (await krm.call("POST", REPORTS, report("r", "default"))).status == 201
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with krm.watch(REPORTS, **query) as events:
        assert (await events.next())["type"] == "ADDED"
        end = await events.next()
    assert end["type"] == "BOOKMARK"
    assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_many_are_deleted_together_and_what_is_in_use_stays(krm: Krm) -> None:
    definitions, instances = f"{GROUP}/kubernetesruntimedefinitions", f"{GROUP}/kubernetesruntimeinstances"
    for number in range(5):
        body = {"apiVersion": "threeport.io/v1alpha1", "kind": "KubernetesRuntimeDefinition"}
        spec = {"infraProvider": "simulated"}
        answer = await krm.call("POST", definitions, {**body, "metadata": {"name": f"d{number}"}, "spec": spec})
        assert answer.status == 201
    body = {"apiVersion": "threeport.io/v1alpha1", "kind": "KubernetesRuntimeInstance", "metadata": {"name": "i"}}
    assert (await krm.call("POST", instances, {**body, "spec": {"definitionRef": {"name": "d2"}}})).status == 201
    refused = await krm.call("DELETE", definitions)
    assert refused.status == 409
    assert "delete KubernetesRuntimeInstance i first" in refused.body["message"]
    left = (await krm.call("GET", definitions)).body["items"]
    assert [item["metadata"]["name"] for item in left if "deletionTimestamp" not in item["metadata"]] == ["d2"]
