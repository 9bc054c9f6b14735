"""A change is planned from what the process knows of the object, and comes out as if the object had been read.

Another writer, of whom the process hears nothing, makes what it knows out of date.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.integration.krm.conftest import Krm, collection, report
from threeport.common.revisions import RevisionClock
from threeport.krm.drafts import change, creation
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.records import Key, StoredObject, encode_body

REPORTS = collection("default", "workloadreports")
KEY = Key("workloadreports.threeport.io", "default", "r")
MERGE = "application/merge-patch+json"

Behind = Callable[[Callable[[dict[str, Any]], None]], Awaitable[StoredObject]]


@pytest.fixture
def other(database: Database) -> SqlObjectStore:
    """The store of another process, whose changes take long to get here."""
    return SqlObjectStore(database, RevisionClock(2), on_commit=lambda stored: None)


@pytest.fixture
async def behind(krm: Krm, other: SqlObjectStore) -> Behind:
    """Creates the report `r` here, and changes it elsewhere."""
    answer = await krm.call("POST", REPORTS, report("r", "default"))
    assert answer.status == 201, answer.body

    async def change_it(edit: Callable[[dict[str, Any]], None]) -> StoredObject:
        stored = await other.get(KEY)
        assert stored is not None
        obj = json.loads(encode_body(stored.decoded()))
        edit(obj)
        changed = (await other.write([change(stored, obj, stored.bookkeeping)]))[0]
        known = krm.events.hub.latest(KEY)
        assert known is not None
        assert known.revision < changed.revision, "what this test is about"
        return changed

    return change_it


async def test_what_was_written_here_is_known_at_once_and_changed_without_being_read(
    krm: Krm, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Key] = []
    get = krm.store.get

    async def counted(key: Key) -> StoredObject | None:
        read.append(key)
        return await get(key)

    monkeypatch.setattr(krm.store, "get", counted)
    await krm.call("POST", REPORTS, report("r", "default"))
    patched = await krm.call("PATCH", f"{REPORTS}/r", {"spec": {"message": "x"}}, content_type=MERGE)
    replaced = await krm.call("PUT", f"{REPORTS}/r", patched.body | {"spec": {**patched.body["spec"], "message": "y"}})
    deleted = await krm.call("DELETE", f"{REPORTS}/r")
    assert [patched.status, replaced.status, deleted.status] == [200, 200, 200]
    assert KEY not in read
    assert krm.events.hub.latest(KEY) is None
    assert await get(KEY) is None


async def test_a_patch_keeps_what_another_process_has_written(krm: Krm, behind: Behind) -> None:
    await behind(lambda obj: obj["spec"].update(message="theirs"))
    answer = await krm.call("PATCH", f"{REPORTS}/r", {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)
    assert answer.status == 200
    assert answer.body["spec"]["message"] == "theirs"
    assert answer.body["metadata"]["labels"] == {"a": "b"}


async def test_a_patch_to_what_was_there_before_is_not_taken_for_no_change(krm: Krm, behind: Behind) -> None:
    await behind(lambda obj: obj["spec"].update(instanceUid="theirs"))
    answer = await krm.call("PATCH", f"{REPORTS}/r", {"spec": {"instanceUid": "u"}}, content_type=MERGE)
    stored = await krm.store.get(KEY)
    assert stored is not None
    assert answer.revision == str(stored.revision)
    assert stored.decoded()["spec"]["instanceUid"] == "u"


async def test_a_put_of_the_newest_version_is_no_conflict_and_one_of_the_known_version_is(
    krm: Krm, behind: Behind
) -> None:
    known = krm.events.hub.latest(KEY)
    assert known is not None
    changed = await behind(lambda obj: obj["spec"].update(message="theirs"))
    older = await krm.call(
        "PUT", f"{REPORTS}/r", {**known.decoded(), "spec": {**report("r", "default")["spec"], "message": "x"}}
    )
    assert (older.status, older.body["reason"]) == (409, "Conflict")
    newest = changed.decoded()
    newest["spec"]["message"] = "ours"
    answer = await krm.call("PUT", f"{REPORTS}/r", newest)
    assert (answer.status, answer.body["spec"]["message"]) == (200, "ours")


async def test_a_finalizer_that_another_process_has_added_holds_the_object(krm: Krm, behind: Behind) -> None:
    await behind(lambda obj: obj["metadata"].update(finalizers=["example.org/held"]))
    answer = await krm.call("DELETE", f"{REPORTS}/r")
    assert answer.status == 200
    assert answer.body["metadata"]["deletionTimestamp"]
    assert await krm.store.get(KEY) is not None


async def test_preconditions_are_those_of_the_object_as_it_is(krm: Krm, behind: Behind) -> None:
    known = krm.events.hub.latest(KEY)
    assert known is not None
    changed = await behind(lambda obj: obj["spec"].update(message="theirs"))
    stale = await krm.call("DELETE", f"{REPORTS}/r", {"preconditions": {"resourceVersion": str(known.revision)}})
    assert stale.status == 409
    answer = await krm.call("DELETE", f"{REPORTS}/r", {"preconditions": {"resourceVersion": str(changed.revision)}})
    assert answer.status == 200
    assert await krm.store.get(KEY) is None


async def test_what_another_process_has_deleted_is_not_found_and_what_it_has_created_anew_is_changed(
    krm: Krm, behind: Behind, other: SqlObjectStore
) -> None:
    await behind(lambda obj: obj["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"))
    for method, body in (("DELETE", None), ("PATCH", {"spec": {"message": "x"}})):
        answer = await krm.call(method, f"{REPORTS}/r", body, content_type=MERGE if body else "application/json")
        assert answer.status == 404, answer.body
    anew = report("r", "default")
    anew["metadata"] |= {"uid": "anew", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    (created,) = await other.write([creation(KEY, anew, {})])
    assert created.key == KEY
    answer = await krm.call("PATCH", f"{REPORTS}/r", {"spec": {"message": "x"}}, content_type=MERGE)
    assert (answer.status, answer.body["metadata"]["uid"]) == (200, "anew")
    gone = await krm.call("DELETE", f"{REPORTS}/r", {"preconditions": {"uid": "anew"}})
    assert gone.status == 200
    assert await krm.store.get(KEY) is None


async def test_an_apply_merges_into_the_object_as_it_is(krm: Krm, behind: Behind) -> None:
    await behind(lambda obj: obj["spec"].update(message="theirs"))
    config = {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "WorkloadReport",
        "metadata": {"name": "r", "labels": {"a": "b"}},
    }
    answer = await krm.call("PATCH", f"{REPORTS}/r?fieldManager=m", config, content_type="application/apply-patch+yaml")
    assert answer.status == 200, answer.body
    assert answer.body["spec"]["message"] == "theirs"
    assert answer.body["metadata"]["labels"] == {"a": "b"}
