from tests.fixtures.objects import creation, deletion, key_of, update
from threeport.store.objects import SqlObjectStore


async def test_smoke(store: SqlObjectStore) -> None:
    (made,) = await store.write([creation(key_of("a"), labels={"x": "y"})])
    assert await store.get(made.key) == made
    (changed,) = await store.write([update(made, labels={"x": "z"}, former=({"x": "y"},))])
    assert await store.get(made.key) == changed
    page = await store.list_page(made.key.resource, labels=[("x", "in", frozenset("z"))], limit=5)
    assert page.items == [changed]
    (gone,) = await store.write([deletion(changed)])
    assert await store.get(made.key) is None
    (again,) = await store.write([creation(made.key)])
    assert again.revision > gone.revision > changed.revision > made.revision
