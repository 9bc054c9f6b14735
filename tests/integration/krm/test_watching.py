"""A watch tells everything that happens to its selection, and how to go on after it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from tests.integration.krm.conftest import Krm, collection, report, workload
from threeport.common.revisions import SECOND, revision_of, system_micros

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def about(event: dict[str, Any], name: str) -> bool:
    """Whether an event is about the object of this name."""
    return bool(event["object"]["metadata"].get("name") == name)


async def test_a_watch_without_revision_tells_the_state_and_then_every_change(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    await krm.call("POST", path, report("old", "default"))
    async with krm.watch(path) as events:
        first = await events.next()
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "old")
        await krm.call("POST", path, report("new", "default"))
        assert (await events.until(lambda e: about(e, "new")))["type"] == "ADDED"
        patched = await krm.call(
            "PATCH", f"{path}/new", {"spec": {"message": "m"}}, content_type="application/merge-patch+json"
        )
        event = await events.until(lambda e: about(e, "new"))
        assert event["type"] == "MODIFIED"
        assert event["object"]["metadata"]["resourceVersion"] == patched.revision
        assert (event["object"]["kind"], event["object"]["apiVersion"]) == ("WorkloadReport", "threeport.io/v1alpha1")
        await krm.call("DELETE", f"{path}/new")
        assert (await events.until(lambda e: about(e, "new")))["type"] == "DELETED"


async def test_a_watch_from_a_list_misses_nothing_written_between(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    listed = await krm.call("GET", path)
    await krm.call("POST", path, report("between", "default"))
    async with krm.watch(path, resourceVersion=listed.revision) as events:
        assert (await events.until(lambda e: about(e, "between")))["type"] == "ADDED"


async def test_a_selector_watch_is_told_when_an_object_leaves_the_selection(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    labelled = report("r", "default")
    labelled["metadata"]["labels"] = {"tier": "gold"}
    async with krm.watch(path, labelSelector="tier=gold") as events:
        await krm.call("POST", path, report("other", "default"))
        await krm.call("POST", path, labelled)
        assert about(await events.next(), "r")
        merge = "application/merge-patch+json"
        await krm.call("PATCH", f"{path}/r", {"metadata": {"labels": {"tier": "tin"}}}, content_type=merge)
        assert (await events.until(lambda e: about(e, "r") and e["type"] != "ADDED"))["type"] == "DELETED"


async def test_initial_events_end_with_a_bookmark(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    await krm.call("POST", path, report("r", "default"))
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with krm.watch(path, **query) as events:
        assert (await events.next())["type"] == "ADDED"
        bookmark = await events.next()
        assert bookmark["type"] == "BOOKMARK"
        assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert int(bookmark["object"]["metadata"]["resourceVersion"]) > 0


async def test_a_watch_from_long_ago_is_told_to_list_again(krm: Krm) -> None:
    old = revision_of(system_micros() - 3600 * SECOND)
    async with krm.watch(collection("default"), resourceVersion=str(old)) as events:
        event = await events.next()
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


async def test_a_watch_ends_after_its_time_and_at_shutdown(krm: Krm) -> None:
    async with krm.watch(collection("default"), timeoutSeconds="1") as events:
        assert await events.ended() == []
    async with krm.watch(collection("default")) as events:
        krm.server.cut_watches(lambda caller: True)
        await events.ended()
    assert krm.server.open_watches == 0


async def test_a_watch_by_name_hears_of_no_other_object(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    async with krm.watch(path, fieldSelector="metadata.name=b") as events:
        for name in ("a", "b"):
            await krm.call("POST", path, report(name, "default"))
        assert about(await events.next(), "b")


async def test_shards_part_the_objects_between_them(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    for number in range(8):
        await krm.call("POST", path, report(f"r{number}", "default"))
    shards = [await krm.call("GET", f"{path}?shardSelector={index}-of-3") for index in range(3)]
    names = [item["metadata"]["name"] for shard in shards for item in shard.body["items"]]
    assert sorted(names) == [f"r{number}" for number in range(8)]
    async with krm.watch(path, shardSelector="1-of-3") as events:
        for _ in shards[1].body["items"]:
            assert (await events.next())["object"]["metadata"]["name"] in str(shards[1].body)


async def test_rows_of_a_table_come_in_watches_too(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    async with krm.session.get(f"{krm.url}{path}?watch=true", headers={"Accept": TABLE}) as response:
        await krm.call("POST", path, report("r", "default", message="m"))
        line = await asyncio.wait_for(response.content.readline(), 10)
    assert b'"kind":"Table"' in line
    assert b'"m"' in line


async def test_a_controller_sees_its_own_writes_with_the_revision_that_the_answer_had(krm: Krm) -> None:
    path = collection("default")
    await krm.call("POST", path, workload("w", "default"))
    key = "workload.kopf.threeport.io/progress"
    async with krm.watch(path, controller="workload") as events:
        await events.next()
        patch = {"metadata": {"annotations": {key: "x"}}, "status": {"observedGeneration": 1}}
        answer = await krm.call(
            "PATCH", f"{path}/w", patch, controller="workload", content_type="application/merge-patch+json"
        )
        event = await events.until(lambda e: e["object"]["metadata"]["resourceVersion"] == answer.revision)
    assert event["object"]["metadata"]["annotations"] == {key: "x"}
    assert event["object"]["status"] == {"observedGeneration": 1}


async def test_in_a_crowd_each_watch_hears_everything_also_what_does_not_fit_into_one_go(krm: Krm) -> None:
    path = collection("default", "workloadreports")
    names = [f"r{number}" for number in range(8)]
    since = (await krm.call("GET", path)).revision
    async with AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(krm.watch(path, resourceVersion=since)) for _ in range(60)]
        for name in names:
            made = report(name, "default")
            made["metadata"]["annotations"] = {"size": "x" * 20_000}
            assert (await krm.call("POST", path, made)).status == 201
        late = await stack.enter_async_context(krm.watch(path, resourceVersion=since))
        for events in [*crowd, late]:
            heard: set[str] = set()
            while heard != set(names):
                heard.add((await events.next())["object"]["metadata"]["name"])
