"""References: who refers to what, and what must therefore stay."""

from __future__ import annotations

import pytest

from tests.fixtures.objects import creation, deletion, key_of, update
from threeport.store.objects import SqlObjectStore
from threeport.store.records import Listing, ReferenceTarget, StillReferenced

DEFINITION, INSTANCE, OTHER = key_of("definition"), key_of("instance"), key_of("other")
BLOCKING = (ReferenceTarget(DEFINITION),)


async def test_what_is_referred_to_stays_and_the_error_names_who_refers(store: SqlObjectStore) -> None:
    (definition,) = await store.write([creation(DEFINITION)])
    (instance,) = await store.write([creation(INSTANCE, references=BLOCKING)])
    for write in (deletion, update):
        with pytest.raises(StillReferenced) as caught:
            await store.write([write(definition, refuse_if_referenced=True)])
        assert caught.value.blockers == [INSTANCE]
    assert await store.blockers(DEFINITION) == [INSTANCE]
    await store.write([deletion(instance)])
    assert await store.blockers(DEFINITION) == []
    (gone,) = await store.write([deletion(definition, refuse_if_referenced=True)])
    assert gone.deleted


async def test_a_reference_that_does_not_block_lets_its_target_go(store: SqlObjectStore) -> None:
    (definition,) = await store.write([creation(DEFINITION)])
    (instance,) = await store.write([creation(INSTANCE, references=(ReferenceTarget(DEFINITION, False),))])
    page = await store.list_page(Listing(INSTANCE.resource, referring_to=DEFINITION))
    assert page.items == [instance]
    await store.write([deletion(definition, refuse_if_referenced=True)])


async def test_none_leaves_references_as_they_are_and_a_tuple_replaces_them(store: SqlObjectStore) -> None:
    (instance,) = await store.write([creation(INSTANCE, references=BLOCKING)])
    (instance,) = await store.write([update(instance)])
    assert await store.blockers(DEFINITION) == [INSTANCE]
    (instance,) = await store.write([update(instance, references=BLOCKING)])
    assert await store.blockers(DEFINITION) == [INSTANCE]
    (instance,) = await store.write([update(instance, references=(ReferenceTarget(OTHER),))])
    assert await store.blockers(DEFINITION) == []
    assert await store.blockers(OTHER) == [INSTANCE]
    (instance,) = await store.write([update(instance, references=(ReferenceTarget(OTHER, False),))])
    assert await store.blockers(OTHER) == []
    (instance,) = await store.write([update(instance, references=())])
    page = await store.list_page(Listing(INSTANCE.resource, referring_to=OTHER))
    assert page.items == []


async def test_the_same_target_twice_is_one_reference_that_blocks_if_either_does(store: SqlObjectStore) -> None:
    twice = (ReferenceTarget(DEFINITION, True), ReferenceTarget(DEFINITION, False))
    (instance,) = await store.write([creation(INSTANCE, references=twice)])
    await store.write([update(instance, references=twice)])
    assert await store.blockers(DEFINITION) == [INSTANCE]


async def test_an_object_does_not_block_itself(store: SqlObjectStore) -> None:
    (narcissus,) = await store.write([creation(INSTANCE, references=(ReferenceTarget(INSTANCE),))])
    await store.write([deletion(narcissus, refuse_if_referenced=True)])


async def test_a_reference_may_come_before_its_target(store: SqlObjectStore) -> None:
    await store.write([creation(INSTANCE, references=BLOCKING)])
    (definition,) = await store.write([creation(DEFINITION)])
    with pytest.raises(StillReferenced):
        await store.write([deletion(definition, refuse_if_referenced=True)])


async def test_blockers_are_shown_up_to_a_limit(store: SqlObjectStore) -> None:
    await store.write([creation(key_of(f"i{number:02}"), references=BLOCKING) for number in range(15)])
    assert len(await store.blockers(DEFINITION)) == 10
    assert await store.blockers(DEFINITION, limit=2) == [key_of("i00"), key_of("i01")]
