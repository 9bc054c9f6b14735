"""Lists: order, pages, and what is selected."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from tests.fixtures.objects import RESOURCE, creation, deletion, key_of, update
from threeport.common.ids import shard_of
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.records import LabelRequirement, Listing, Shard, StoredObject
from threeport.store.selection import select


async def pages(store: SqlObjectStore, limit: int) -> AsyncIterator[list[StoredObject]]:
    after: tuple[str, str] | None = None
    while True:
        page = await store.list_page(Listing(RESOURCE), limit=limit, after=after)
        yield page.items
        if (after := page.after) is None:
            return


async def test_a_list_is_in_order_of_namespace_and_name(store: SqlObjectStore) -> None:
    keys = [key_of(name, namespace=namespace) for namespace in ("b", "a", "") for name in ("z", "a-b", "a", "a.b")]
    await store.write([creation(key) for key in keys])
    page = await store.list_page(Listing(RESOURCE))
    assert [each.key for each in page.items] == sorted(keys)
    assert page.after is None


async def test_a_list_is_of_one_resource_and_one_namespace_and_one_name(store: SqlObjectStore) -> None:
    keys = [key_of(name, namespace=namespace) for namespace in ("x", "y") for name in ("a", "b")]
    await store.write([creation(key) for key in keys] + [creation(key_of("a", resource="namespaces", namespace=""))])
    assert [each.key for each in (await store.list_page(Listing(RESOURCE, namespace="x"))).items] == keys[:2]
    assert [each.key for each in (await store.list_page(Listing(RESOURCE, name="a"))).items] == [keys[0], keys[2]]
    assert (await store.list_page(Listing("unknown"))).items == []


@pytest.mark.parametrize("limit", [1, 3, 7, 20, 21])
async def test_pages_hold_everything_once(store: SqlObjectStore, limit: int) -> None:
    made = await store.write([creation(key_of(f"n{number:02}", namespace=f"ns{number % 3}")) for number in range(20)])
    listed = [items async for items in pages(store, limit)]
    assert sum(listed, []) == sorted(made, key=lambda each: each.key)
    assert all(len(items) <= limit for items in listed)


async def test_what_stands_all_the_time_is_listed_exactly_once_under_writes(store: SqlObjectStore) -> None:
    standing = await store.write([creation(key_of(f"standing-{number:03}")) for number in range(100)])
    done = asyncio.Event()

    async def disturb() -> None:
        while not done.is_set():
            (made,) = await store.write([creation(key_of("standing-050-not"))])
            await store.write([deletion(made)])

    disturber = asyncio.ensure_future(disturb())
    for _ in range(5):
        listed = [each.key async for items in pages(store, 7) for each in items]
        assert len(listed) == len(set(listed))
        assert {each.key for each in standing} <= set(listed)
    done.set()
    await disturber


REQUIREMENTS: list[tuple[LabelRequirement, str]] = [
    (("app", "in", frozenset({"web"})), "a"),
    (("app", "in", frozenset({"web", "db"})), "ab"),
    (("app", "in", frozenset()), ""),
    (("app", "notin", frozenset({"web"})), "bcd"),
    (("app", "notin", frozenset({"web", "db"})), "cd"),
    (("app", "exists", frozenset()), "abc"),
    (("app", "notexists", frozenset()), "d"),
    (("app", "in", frozenset({""})), "c"),
    (("example.org/x", "in", frozenset({"1"})), "b"),
    (("example.org/x", "gt", frozenset({"0"})), "b"),
    (("example.org/x", "gt", frozenset({"1"})), ""),
    (("example.org/x", "lt", frozenset({"10"})), "b"),
    (("app", "lt", frozenset({"10"})), ""),
]


@pytest.mark.parametrize(("requirement", "expected"), REQUIREMENTS)
async def test_labels_select(store: SqlObjectStore, requirement: LabelRequirement, expected: str) -> None:
    labels = {"a": {"app": "web"}, "b": {"app": "db", "example.org/x": "1"}, "c": {"app": ""}, "d": {}}
    await store.write([creation(key_of(name), labels=each) for name, each in labels.items()])
    page = await store.list_page(Listing(RESOURCE, labels=(requirement,)))
    assert "".join(each.key.name for each in page.items) == expected


async def test_all_requirements_must_hold(store: SqlObjectStore) -> None:
    await store.write([creation(key_of("a"), labels={"x": "1"}), creation(key_of("b"), labels={"x": "1", "y": "2"})])
    both: tuple[LabelRequirement, ...] = (("x", "in", frozenset({"1"})), ("y", "exists", frozenset()))
    assert [each.key.name for each in (await store.list_page(Listing(RESOURCE, labels=both))).items] == ["b"]


async def test_shards_are_those_that_python_computes_and_share_out_everything(store: SqlObjectStore) -> None:
    made = await store.write([creation(key_of(f"n{number}")) for number in range(40)])
    found: list[StoredObject] = []
    for index in range(3):
        page = await store.list_page(Listing(RESOURCE, shard=Shard(index, 3)))
        assert all(shard_of(each.uid, 3) == index for each in page.items)
        found += page.items
    assert sorted(each.uid for each in found) == sorted(each.uid for each in made)


async def test_what_is_being_deleted_can_be_listed_alone(store: SqlObjectStore) -> None:
    made = await store.write([creation(key_of(name)) for name in "abc"])
    (marked,) = await store.write([update(made[1], deleting=True)])
    assert (await store.list_page(Listing(RESOURCE, only_deleting=True))).items == [marked]


async def test_the_database_knows_that_a_shard_is_a_good_part_of_a_table(
    database: Database, store: SqlObjectStore
) -> None:
    # Where it expects few rows it sorts the whole of a large table for every page, rather than go by the index.
    for start in range(0, 2000, 500):
        await store.write([creation(key_of(f"n{number}")) for number in range(start, start + 500)])
    await database.statement("ANALYZE objects", {})
    selection = select(Listing(RESOURCE, shard=Shard(1, 4)), after=None)
    plan = "".join(line for (line,) in await database.read(f"EXPLAIN {selection.page(None)}", selection.parameters))
    assert max(map(int, re.findall(r"rows=(\d+)", plan))) > 200, plan


async def test_a_list_shows_the_newest_state(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(key_of("a"))])
    (changed,) = await store.write([update(made, labels={"new": "1"})])
    assert (await store.list_page(Listing(RESOURCE))).items == [changed]
