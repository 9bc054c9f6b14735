"""Several writes: all or none, in the order given, within the time."""

from __future__ import annotations

import pytest

from tests.fixtures.objects import creation, deletion, key_of, update
from threeport.common.revisions import SECOND, RevisionClock, system_micros
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.records import (
    NameTaken,
    ReferenceTarget,
    StaleRevision,
    StillReferenced,
    StoredObject,
    TookTooLong,
)

A, B, C = key_of("a"), key_of("b"), key_of("c")


async def test_results_come_in_the_order_given(store: SqlObjectStore, committed: list[StoredObject]) -> None:
    results = await store.write([creation(C), creation(A), creation(B)])
    assert [each.key for each in results] == [C, A, B]
    assert committed == results
    assert [await store.get(each.key) for each in results] == results


async def test_one_refusal_undoes_all(store: SqlObjectStore, database: Database, committed: list[StoredObject]) -> None:
    (made,) = await store.write([creation(B)])
    with pytest.raises(NameTaken):
        await store.write([creation(A), creation(B), creation(C)])
    with pytest.raises(StaleRevision) as caught:
        await store.write([creation(A), update(made, expected=1), creation(C)])
    assert caught.value.found == made
    assert await store.get(A) is None
    assert await store.get(C) is None
    assert committed == [made]
    assert len(await Outbox(database).pending()) == 1


async def test_no_writes_are_no_error(store: SqlObjectStore) -> None:
    assert await store.write([]) == []


async def test_one_name_may_be_written_twice_in_order(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(A)])
    gone, again = await store.write([deletion(made), creation(A)])
    assert gone.deleted
    assert again.revision > gone.revision
    assert await store.get(A) == again


async def test_what_is_referred_to_is_judged_at_the_end(store: SqlObjectStore) -> None:
    definition, instance = await store.write(
        [creation(A), creation(B, references=(ReferenceTarget(A),))],
    )
    with pytest.raises(StillReferenced):
        await store.write([deletion(definition, refuse_if_referenced=True), update(instance)])
    gone = await store.write([deletion(definition, refuse_if_referenced=True), deletion(instance)])
    assert [each.deleted for each in gone] == [True, True]


async def test_a_transaction_that_takes_too_long_is_undone(database: Database) -> None:
    # The process read its clock long before the statement ran: as if it had been stopped in between.
    readings = iter([system_micros() - SECOND * 9 // 10])
    stretched = RevisionClock(5, now=lambda: next(readings, None) or system_micros())
    store = SqlObjectStore(database, stretched, on_commit=lambda _: None)
    pause = (
        "CREATE FUNCTION dawdle() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.9); RETURN NULL; END'"
    )
    trigger = "CREATE TRIGGER slow AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION dawdle()"
    if database.is_cockroach:
        pytest.skip("slowed down by a function of PostgreSQL")
    async with database.dedicated_connection() as connection:
        await connection.execute(pause)
        await connection.execute(trigger)
    # The statement has 4 s, the transaction 5: on a slow machine the first ends it.
    with pytest.raises(TookTooLong, match=r"longer than the [45] s"):
        await store.write([creation(A), creation(B)])
    assert await store.get(A) is None


async def test_writes_of_one_shape_share_a_statement_and_the_one_that_fails_is_named(store: SqlObjectStore) -> None:
    made = await store.write([creation(key_of(f"o{number}")) for number in range(250)])
    assert [each.key.name for each in made] == [f"o{number}" for number in range(250)]
    (changed,) = await store.write([update(made[120])])
    with pytest.raises(StaleRevision) as stale:
        await store.write([deletion(each) for each in made])
    assert (stale.value.key, stale.value.found) == (changed.key, changed)
    assert await store.get(made[0].key) == made[0]
    with pytest.raises(NameTaken) as taken:
        await store.write([creation(key_of("new")), *(creation(each.key) for each in made[3:5])])
    assert taken.value.key == made[3].key
    gone = await store.write([deletion(each) for each in [*made[:120], changed, *made[121:]]])
    assert all(each.deleted and each.revision > before.revision for each, before in zip(gone, made, strict=True))


async def test_three_hundred_objects_fit_in_a_transaction(store: SqlObjectStore) -> None:
    results = await store.write([creation(key_of(f"object-{number}")) for number in range(300)])
    assert len({each.revision for each in results}) == 300
