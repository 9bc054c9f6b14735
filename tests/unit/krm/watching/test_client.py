"""What a watch leaves out, because its client has it already; and what it must not leave out."""

from __future__ import annotations

from threeport.krm.watching.client import ClientState
from threeport.store.records import Key, StoredObject

KEY = Key("things.threeport.io", "shop", "web")


def event(uid: str, revision: int, *, deleted: bool = False) -> StoredObject:
    body = '{"metadata":{}}'
    return StoredObject(key=KEY, uid=uid, revision=revision, generation=1, body=body, deleted=deleted)


def given(obj: StoredObject) -> ClientState:
    client = ClientState()
    client.listing(obj)
    return client


def test_what_led_to_the_given_object_is_old_news_also_after_it_has_changed() -> None:
    client = given(event("second", 5))
    assert client.is_old_news(event("first", 3, deleted=True))
    assert client.is_old_news(event("second", 5))
    assert not client.is_old_news(event("second", 7))
    assert client.is_old_news(event("first", 3, deleted=True))
    assert client.is_old_news(event("second", 6))


def test_the_end_of_the_given_object_is_told_though_its_name_was_taken_over_before() -> None:
    client = given(event("first", 5))
    takes_over, ends = event("second", 9), event("first", 7, deleted=True)
    assert [client.is_old_news(each) for each in (takes_over, ends, takes_over)] == [False, False, False]


def test_what_follows_the_end_of_the_given_object_is_told() -> None:
    client = given(event("first", 5))
    assert not client.is_old_news(event("first", 7, deleted=True))
    assert not client.is_old_news(event("second", 9))
