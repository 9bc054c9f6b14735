"""Leases of controllers: one holder per shard, one count of shards at a time, and none acts after its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.fixtures.api import Api, ApiProcesses
from tests.integration.apiserver.http import GROUP, Answer, Http
from threeport.client.config import ClientSettings

MakeHttp = Callable[[ClientSettings], Http]
WORKLOADS = f"{GROUP}/namespaces/default/workloads"
TEST = "/controllers/test"


@pytest.fixture
async def controller(http: MakeHttp, api: Api, postgres_dsn: str) -> Http:
    """The controller `test`, of which nobody holds a lease."""
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        query = f"DELETE FROM {api.schema}.leases WHERE name LIKE 'controllers/test%'"
        connection.execute(query.encode())
    return http(api.controller("test"))


async def acquire(caller: Http, shard: str, holder: str, epoch: int | None = None) -> Answer:
    return await caller.post(f"{TEST}/{shard}/lease", {"holder": holder, "epoch": epoch})


def expire(dsn: str, schema: str, pattern: str) -> None:
    """Lets leases run out now, as if their time had passed."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        query = f"UPDATE {schema}.leases SET expires = now() WHERE name LIKE %s"
        assert connection.execute(query.encode(), [pattern]).rowcount


async def test_a_lease_has_one_holder_until_it_is_given_back(controller: Http) -> None:
    first = await acquire(controller, "0-of-1", "a")
    assert first.json == {"epoch": 1, "ttlSeconds": 15}
    taken = await acquire(controller, "0-of-1", "b")
    assert taken.code == 409
    assert taken.headers["Retry-After"]
    assert (await acquire(controller, "0-of-1", "a", 1)).json["epoch"] == 1
    assert (await controller.delete(f"{TEST}/0-of-1/lease", {"holder": "a", "epoch": 1})).code == 200
    assert (await acquire(controller, "0-of-1", "b")).json["epoch"] == 2
    assert (await acquire(controller, "0-of-1", "a", 1)).code == 401


async def test_only_the_controller_itself_gets_its_leases_and_passes_its_door(
    controller: Http, admin: Http, http: MakeHttp, api: Api
) -> None:
    epoch = (await acquire(controller, "0-of-1", "a")).json["epoch"]
    for other in (admin, http(api.controller("workload")), http(api.agent("test"))):
        assert (await acquire(other, "0-of-1", "a")).code == 403
        assert (await other.delete(f"{TEST}/0-of-1/lease", {"holder": "a", "epoch": epoch})).code == 403
        assert (await other.get(f"{TEST}/0-of-1/{epoch}{WORKLOADS}")).code == 403
    assert (await controller.get(f"{TEST}/0-of-1/{epoch}{WORKLOADS}")).code == 200


@pytest.mark.parametrize("body", [{}, {"holder": ""}, {"holder": "a", "epoch": "x"}, {"holder": "a", "more": 1}, []])
async def test_a_request_for_a_lease_that_says_nothing_is_refused(controller: Http, body: Any) -> None:
    assert (await controller.post(f"{TEST}/0-of-1/lease", body)).code == 400


async def test_who_holds_no_lease_reads_and_writes_nothing(controller: Http, workload: dict[str, Any]) -> None:
    for epoch in (0, 1, 99):
        assert (await controller.get(f"{TEST}/8-of-9/{epoch}{WORKLOADS}")).code == 401
        assert (await controller.post(f"{TEST}/8-of-9/{epoch}{WORKLOADS}", workload)).code == 401
    assert (await controller.get(f"{TEST}/5-of-2/1{WORKLOADS}")).code == 404


async def test_a_superseded_holder_is_cut_off_and_can_write_nothing(
    controller: Http, workload: dict[str, Any], name: str, api: Api, postgres_dsn: str
) -> None:
    door = f"{TEST}/0-of-1/{(await acquire(controller, '0-of-1', 'a')).json['epoch']}"
    assert (await controller.post(door + WORKLOADS, workload)).code == 201
    watch = asyncio.create_task(controller.get(f"{door}{WORKLOADS}?watch=true&timeoutSeconds=60"))
    await asyncio.wait({watch}, timeout=0.5)
    assert not watch.done()
    expire(postgres_dsn, api.schema, "controllers/test/0-of-1")
    assert (await acquire(controller, "0-of-1", "b")).json["epoch"] == 2
    await asyncio.wait({watch}, timeout=10)
    assert watch.done()
    watch.exception()
    assert (await controller.patch(f"{door}{WORKLOADS}/{name}", {"metadata": {"labels": {"a": "b"}}})).code == 401
    assert (await controller.get(f"{door}{WORKLOADS}")).code == 401
    assert (await controller.get(f"{TEST}/0-of-1/2{WORKLOADS}")).code == 200


async def test_shards_of_two_counts_are_never_at_work_at_once(controller: Http, api: Api, postgres_dsn: str) -> None:
    assert (await acquire(controller, "0-of-2", "a")).code == 200
    assert (await acquire(controller, "1-of-2", "b")).code == 200
    refused = await acquire(controller, "0-of-3", "c")
    assert refused.code == 409
    assert "another count" in refused.json["message"]
    expire(postgres_dsn, api.schema, "controllers/test%")
    assert (await acquire(controller, "0-of-3", "c")).code == 200
    for shard, holder in (("0-of-2", "a"), ("1-of-2", "b")):
        assert (await acquire(controller, shard, holder, 1)).code == 401
        assert (await controller.get(f"{TEST}/{shard}/1{WORKLOADS}")).code == 401


async def test_each_shard_sees_its_own_objects_and_together_they_see_all(
    controller: Http, admin: Http, workload: dict[str, Any], name: str
) -> None:
    names = [f"{name}-{number}" for number in range(12)]
    for each in names:
        assert (await admin.post(WORKLOADS, {**workload, "metadata": {"name": each}})).code == 201
    seen: list[str] = []
    for index in range(3):
        epoch = (await acquire(controller, f"{index}-of-3", "a")).json["epoch"]
        listed = await controller.get(f"{TEST}/{index}-of-3/{epoch}{WORKLOADS}")
        seen += [item["metadata"]["name"] for item in listed.json["items"]]
    assert sorted(found for found in seen if found in names) == sorted(names)


async def test_another_process_learns_that_a_lease_has_passed_on(api_processes: ApiProcesses) -> None:
    first, second = api_processes(2)
    one, two = Http.of(first.controller("test")), Http.of(second.controller("test"))
    async with one.session, two.session:
        epoch = (await acquire(one, "0-of-1", "a")).json["epoch"]
        path = f"{TEST}/0-of-1/{epoch}{WORKLOADS}"
        watch = asyncio.create_task(two.get(f"{path}?watch=true&timeoutSeconds=60"))
        await asyncio.wait({watch}, timeout=0.5)
        assert not watch.done()
        await one.delete(f"{TEST}/0-of-1/lease", {"holder": "a", "epoch": epoch})
        await asyncio.wait({watch}, timeout=10)
        assert watch.done()
        watch.exception()
        assert (await two.get(path)).code == 401
