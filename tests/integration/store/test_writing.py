"""Single writes: what is stored, and every way to be refused."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from tests.fixtures.objects import body_of, creation, deletion, key_of, update
from threeport.common.ids import new_uid
from threeport.common.revisions import SECOND, RevisionClock, revision_of, system_micros
from threeport.store.database import Database
from threeport.store.leases import Leases
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.records import (
    Fence,
    LabelRequirement,
    LeaseLost,
    Listing,
    NameTaken,
    ReferenceTarget,
    StaleRevision,
    StoredObject,
    StoreUnavailable,
    Unstorable,
)

A = key_of("a")


async def test_what_is_written_is_read_back(store: SqlObjectStore) -> None:
    write = creation(
        A,
        labels={"app": "web"},
        bookkeeping={"workload": {"last": '{"spec":1}'}},
        generation=7,
        deleting=True,
    )
    (made,) = await store.write([write])
    assert await store.get(A) == made
    assert (made.uid, made.generation, made.labels, made.deleting) == (write.uid, 7, {"app": "web"}, True)
    assert made.bookkeeping == {"workload": {"last": '{"spec":1}'}}
    assert orjson.loads(made.served())["metadata"]["resourceVersion"] == str(made.revision)


async def test_a_name_that_nobody_has_is_none(store: SqlObjectStore) -> None:
    assert await store.get(A) is None


async def test_every_write_leaves_a_notification_and_is_reported(
    store: SqlObjectStore, database: Database, committed: list[StoredObject]
) -> None:
    (made,) = await store.write([creation(A)])
    (changed,) = await store.write([update(made, generation=2)])
    (gone,) = await store.write([deletion(changed)])
    assert committed == [made, changed, gone]
    assert [(row.key, row.uid, row.revision) for row in await Outbox(database).pending()] == [
        (A, made.uid, each.revision) for each in (made, changed, gone)
    ]


async def test_a_refused_write_leaves_nothing(
    store: SqlObjectStore, database: Database, committed: list[StoredObject]
) -> None:
    (made,) = await store.write([creation(A)])
    with pytest.raises(NameTaken):
        await store.write([creation(A)])
    with pytest.raises(StaleRevision):
        await store.write([update(made, expected=1)])
    assert committed == [made]
    assert len(await Outbox(database).pending()) == 1


async def test_a_create_of_a_taken_name_shows_who_has_it(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(A)])
    with pytest.raises(NameTaken) as caught:
        await store.write([creation(A)])
    assert caught.value.found == made


async def test_a_write_from_an_old_revision_shows_the_new_one(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(A)])
    (changed,) = await store.write([update(made, generation=2)])
    for late in (update(made, generation=3), deletion(made)):
        with pytest.raises(StaleRevision) as caught:
            await store.write([late])
        assert caught.value.found == changed


async def test_a_write_to_what_is_gone_or_has_been_replaced_is_stale(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(A)])
    await store.write([deletion(made)])
    with pytest.raises(StaleRevision) as caught:
        await store.write([update(made)])
    assert caught.value.found is None
    (again,) = await store.write([creation(A)])
    with pytest.raises(StaleRevision) as caught:
        await store.write([update(made, expected=None)])
    assert caught.value.found == again


async def test_without_an_expected_revision_the_last_writer_wins(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(A)])
    await store.write([update(made, generation=2)])
    (changed,) = await store.write([update(made, generation=3, expected=None)])
    assert await store.get(A) == changed


async def test_a_recreated_name_goes_on_above_its_tombstone(database: Database) -> None:
    now = system_micros()
    ahead = SqlObjectStore(
        database, RevisionClock(5, now=lambda: system_micros() + SECOND // 2), on_commit=lambda _: None
    )
    behind = SqlObjectStore(
        database, RevisionClock(6, now=lambda: system_micros() - SECOND // 2), on_commit=lambda _: None
    )
    (made,) = await ahead.write([creation(A)])
    (gone,) = await ahead.write([deletion(made)])
    (again,) = await behind.write([creation(A)])
    (changed,) = await behind.write([update(again)])
    assert revision_of(now) < made.revision < gone.revision < again.revision < changed.revision
    assert again.revision & 1023 == 6


async def test_a_process_takes_over_the_revision_of_a_name_that_is_ahead(database: Database) -> None:
    ahead = SqlObjectStore(
        database, RevisionClock(5, now=lambda: system_micros() + SECOND // 2), on_commit=lambda _: None
    )
    clock = RevisionClock(6)
    store = SqlObjectStore(database, clock, on_commit=lambda _: None)
    (made,) = await ahead.write([creation(A)])
    (changed,) = await store.write([update(made)])
    (other,) = await store.write([creation(key_of("b"))])
    assert other.revision > changed.revision > made.revision


async def test_a_clock_that_is_off_cannot_write_and_says_how_far(database: Database) -> None:
    late = SqlObjectStore(
        database, RevisionClock(5, now=lambda: system_micros() - 3 * SECOND), on_commit=lambda _: None
    )
    with pytest.raises(StoreUnavailable, match=r"clock of this process is -3\.\d s off"):
        await late.write([creation(A)])
    with pytest.raises(StoreUnavailable, match="clock of this process"):
        await late.write([creation(A), creation(key_of("b"))])
    assert await late.get(A) is None


async def test_a_clock_that_was_off_for_a_moment_is_read_again(database: Database) -> None:
    readings = iter([system_micros() - 10 * SECOND])
    clock = RevisionClock(5, now=lambda: next(readings, None) or system_micros())
    store = SqlObjectStore(database, clock, on_commit=lambda _: None)
    (made,) = await store.write([creation(A)])
    assert await store.get(A) == made


async def test_a_writer_whose_lease_has_passed_on_changes_nothing(store: SqlObjectStore, database: Database) -> None:
    leases = Leases(database)
    lease = await leases.acquire("controller", "one", 15)
    assert lease is not None
    old = Fence("controller", lease.epoch)
    (made,) = await store.write([creation(A)], fence=old)
    taken = await leases.acquire("controller", "one", 15)
    assert taken is not None
    for write in (update(made), deletion(made), creation(key_of("b"))):
        with pytest.raises(LeaseLost):
            await store.write([write], fence=old)
    with pytest.raises(LeaseLost):
        await store.write([update(made), creation(key_of("b"))], fence=old)
    assert await store.get(A) == made
    await store.write([update(made)], fence=Fence("controller", taken.epoch))
    with pytest.raises(LeaseLost):
        await store.write([creation(key_of("c"))], fence=Fence("never acquired", 1))


async def test_former_label_sets_stay_with_the_object_and_its_tombstone(
    store: SqlObjectStore, database: Database
) -> None:
    (made,) = await store.write([creation(A, labels={"v": "1"})])
    (changed,) = await store.write([update(made, labels={"v": "2"}, former=({"v": "1"},))])
    assert await store.get(A) == changed
    assert changed.former == ({"v": "1"},)
    (gone,) = await store.write([deletion(changed, former=None)])
    assert (gone.former, gone.deleted, gone.labels) == (None, True, {"v": "2"})


async def test_nul_is_harmless_in_a_body_and_refused_where_the_database_looks_inside(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(A, body=body_of(A, text="a\0b"))])
    found = await store.get(A)
    assert found is not None
    assert found.decoded()["spec"]["text"] == "a\0b"
    broken = [
        creation(key_of("b\0")),
        update(made, labels={"a": "\0"}),
        update(made, body=made.body + "\0"),
        replace(creation(key_of("c")), references=(ReferenceTarget(key_of("b\0")),)),
    ]
    for write in broken:
        with pytest.raises(Unstorable, match="NUL"):
            await store.write([write])
    assert await store.get(key_of("b\0")) is None


async def test_names_and_values_of_any_script_survive(store: SqlObjectStore) -> None:
    key = key_of("näme-名前-🐘", namespace="пространство")
    (made,) = await store.write(
        [creation(key, labels={"k": "“quoted\\” %s {x}"}, body=body_of(key, text="\\u0000 %s 🐘"))]
    )
    assert await store.get(key) == made
    quoted: LabelRequirement = ("k", "in", frozenset(["“quoted\\” %s {x}"]))
    page = await store.list_page(Listing(key.resource, labels=(quoted,)))
    assert page.items == [made]


async def test_a_large_body_survives(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(A, body=body_of(A, text="x" * 1_500_000))])
    assert await store.get(A) == made


async def test_a_uid_is_given_once(store: SqlObjectStore) -> None:
    uid = new_uid()
    await store.write([creation(A, uid=uid)])
    with pytest.raises(NameTaken):
        await store.write([creation(key_of("b"), uid=uid)])
