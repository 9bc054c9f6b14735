"""Garbage collection by owner references, in the three ways of deleting an owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.krm.conftest import GROUP, Krm, collection, eventually, report, running, workload
from threeport.store.database import Database

REPORTS = collection("default", "workloadreports")
HELD = "example.com/held"


def owner(of: dict[str, Any], *, blocks: bool = True) -> dict[str, Any]:
    """A reference to an owner."""
    names = {"apiVersion": of["apiVersion"], "kind": of["kind"]}
    metadata = of["metadata"]
    return {**names, "name": metadata["name"], "uid": metadata["uid"], "blockOwnerDeletion": blocks}


async def make(krm: Krm, name: str, *owners: dict[str, Any], finalizers: list[str] | None = None) -> dict[str, Any]:
    """A report with these owners."""
    body = report(name, "default")
    body["metadata"] |= {"ownerReferences": [*owners], "finalizers": finalizers or []}
    answer = await krm.call("POST", REPORTS, body)
    assert answer.status == 201, answer.body
    created: dict[str, Any] = answer.body
    return created


async def found(krm: Krm, name: str) -> dict[str, Any] | None:
    """The report, if it is there."""
    answer = await krm.call("GET", f"{REPORTS}/{name}")
    return answer.body if answer.status == 200 else None


async def delete(krm: Krm, name: str, policy: str = "Background") -> None:
    """Deletes a report."""
    assert (await krm.call("DELETE", f"{REPORTS}/{name}?propagationPolicy={policy}")).status == 200


async def release(krm: Krm, name: str) -> None:
    """Takes the test's finalizer away."""
    kept = [one for one in ((await found(krm, name)) or {})["metadata"]["finalizers"] if one != HELD]
    patch = {"metadata": {"finalizers": kept}}
    await krm.call("PATCH", f"{REPORTS}/{name}", patch, content_type="application/merge-patch+json")


async def gone(krm: Krm, *names: str) -> None:
    """Waits until none of the reports is there."""

    async def all_gone() -> bool:
        return not [name for name in names if await found(krm, name)]

    await eventually(all_gone, f"{names} are gone")


async def test_what_has_lost_its_owner_goes_and_so_does_what_it_owns(krm: Krm) -> None:
    top = await make(krm, "top")
    middle = await make(krm, "middle", owner(top))
    await make(krm, "bottom", owner(middle))
    await make(krm, "other")
    await delete(krm, "top")
    await gone(krm, "top", "middle", "bottom")
    assert await found(krm, "other")


async def test_an_object_stays_as_long_as_one_of_its_owners(krm: Krm) -> None:
    one, two = await make(krm, "one"), await make(krm, "two")
    await make(krm, "shared", owner(one), owner(two))
    await delete(krm, "one")

    async def disowned() -> bool:
        shared = await found(krm, "shared")
        return shared is not None and [ref["name"] for ref in shared["metadata"]["ownerReferences"]] == ["two"]

    await eventually(disowned, "the owner that is gone is taken off")
    await delete(krm, "two")
    await gone(krm, "shared")


async def test_an_owner_deleted_in_the_foreground_waits_for_what_it_owns(krm: Krm) -> None:
    top = await make(krm, "top")
    await make(krm, "held", owner(top), finalizers=[HELD])
    await delete(krm, "top", "Foreground")

    async def going() -> bool:
        held = await found(krm, "held")
        return held is not None and "deletionTimestamp" in held["metadata"]

    await eventually(going, "what is owned is being deleted")
    waiting = await found(krm, "top")
    assert waiting
    assert waiting["metadata"]["finalizers"] == ["foregroundDeletion"]
    await release(krm, "held")
    await gone(krm, "held", "top")


async def test_an_orphaning_deletion_leaves_what_was_owned(krm: Krm) -> None:
    top = await make(krm, "top")
    await make(krm, "left", owner(top))
    await delete(krm, "top", "Orphan")
    await gone(krm, "top")
    left = await found(krm, "left")
    assert left
    assert "ownerReferences" not in left["metadata"]


async def test_an_owner_given_later_counts_and_one_of_a_foreign_kind_does_not(krm: Krm) -> None:
    top = await make(krm, "top")
    await make(krm, "adopted")
    await make(krm, "foreign", {"apiVersion": "example.com/v1", "kind": "Thing", "name": "t", "uid": "elsewhere"})
    patch = {"metadata": {"ownerReferences": [owner(top)]}}
    merge = "application/merge-patch+json"
    assert (await krm.call("PATCH", f"{REPORTS}/adopted", patch, content_type=merge)).status == 200
    await delete(krm, "top")
    await gone(krm, "adopted")
    assert await found(krm, "foreign")


async def test_a_server_that_starts_finds_what_was_left_undone(
    krm: Krm, database: Database, nats_url: str, tmp_path: Path
) -> None:
    await make(krm, "stray", {**owner(await make(krm, "top")), "uid": "never-was"})
    async with running(database, nats_url, tmp_path):
        await gone(krm, "stray")


async def test_what_still_refers_to_each_other_goes_in_the_end(krm: Krm) -> None:
    top = await make(krm, "top")
    definition = workload("pair", "default")
    for kind, spec in (("Definition", definition["spec"]), ("Instance", {"definitionRef": {"name": "pair"}})):
        body = {**definition, "kind": f"Workload{kind}", "spec": spec}
        body["metadata"] = {"name": "pair", "namespace": "default", "ownerReferences": [owner(top)]}
        answer = await krm.call("POST", collection("default", f"workload{kind.lower()}s"), body)
        assert answer.status == 201, answer.body
    await delete(krm, "top")
    instance = f"{GROUP}/namespaces/default/workloadinstances/pair"

    async def going() -> bool:
        return "deletionTimestamp" in (await krm.call("GET", instance)).body["metadata"]

    await eventually(going, "the instance is being deleted")
    no_finalizers = {"metadata": {"finalizers": []}}
    await krm.call("PATCH", instance, no_finalizers, content_type="application/merge-patch+json")

    async def definition_gone() -> bool:
        return (await krm.call("GET", instance.replace("instances", "definitions"))).status == 404

    await eventually(definition_gone, "the definition is gone")
