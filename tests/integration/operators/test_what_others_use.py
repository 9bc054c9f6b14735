"""What an instance has made and others use stays for them, and is no longer ours: kinds, and namespaces with theirs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fixtures.manifests import CONFIG
from tests.integration.operators.conftest import INSTANCE, WORKLOAD, Space
from tests.integration.operators.test_deletion import EVENT, HOLD, find, hold
from threeport.common.types import JsonObject
from threeport.kube.errors import ClusterError
from threeport.kube.labels import INSTANCE_LABEL


def lamps(group: str) -> JsonObject:
    """The definition of a kind."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": "lamps", "singular": "lamp", "kind": "Lamp", "listKind": "LampList"}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"lamps.{group}", "labels": {"colour": "red"}},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


def lamp(group: str, name: str, namespace: str) -> JsonObject:
    """One of that kind."""
    return {"apiVersion": f"{group}/v1", "kind": "Lamp", "metadata": {"name": name, "namespace": namespace}}


@pytest.fixture
async def kind(space: Space) -> AsyncIterator[str]:
    """The group of a kind that the test may define; it is taken out afterwards."""
    group = f"{uuid.uuid4().hex[:8]}.example.com"
    yield group
    if (left := await find(space, lamps(group))) is not None:
        await space.cluster.delete(
            left["apiVersion"], left["kind"], f"lamps.{group}", None, uid=left["metadata"]["uid"]
        )


async def make(space: Space, manifest: JsonObject) -> JsonObject:
    """Makes an object as somebody else, as soon as its kind is known."""

    async def try_it() -> JsonObject | None:
        space.cluster.look_again_for_kinds()
        try:
            return await space.cluster.create(manifest)
        except ClusterError:
            return None

    return await space.until(try_it)


async def told(space: Space, reason: str) -> str:
    """What the one Event of this reason says."""
    events = (await space.client.list(EVENT, space.namespace)).items
    (message,) = [event["message"] for event in events if event["reason"] == reason]
    return str(message)


async def is_left_to_others(space: Space, manifest: JsonObject) -> bool:
    """Whether the object is there, stays, and is nobody's by its labels."""
    found = await find(space, manifest)
    assert found is not None
    metadata = found["metadata"]
    return "deletionTimestamp" not in metadata and INSTANCE_LABEL not in metadata.get("labels", {})


async def test_a_kind_of_which_others_have_objects_stays_with_these_and_all_else_goes(space: Space, kind: str) -> None:
    await space.deploy("lights", [lamps(kind), {**CONFIG, "metadata": {"name": "settings"}}])
    namespace = (await space.ready(INSTANCE, "lights"))["status"]["namespace"]
    theirs = await make(space, lamp(kind, "theirs", "default"))
    await space.client.delete(WORKLOAD, "lights", space.namespace)
    await space.gone(WORKLOAD, "lights")
    assert await is_left_to_others(space, lamps(kind))
    assert (await find(space, lamps(kind)) or {})["metadata"]["labels"] == {"colour": "red"}
    assert (await find(space, theirs) or {})["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert await find(space, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}) is None
    assert "others have objects of this kind: Lamp default/theirs" in await told(space, "CustomResourceDefinitionKept")


async def test_a_kind_goes_with_the_objects_that_are_ours_or_owned_by_what_goes(space: Space, kind: str) -> None:
    ours = {**lamp(kind, "ours", ""), "metadata": {"name": "ours"}}
    await space.deploy("lights", [lamps(kind), ours])
    instance = await space.ready(INSTANCE, "lights")
    found = await find(space, lamp(kind, "ours", instance["status"]["namespace"]))
    assert found is not None
    owner = {"apiVersion": found["apiVersion"], "kind": "Lamp", "name": "ours", "uid": found["metadata"]["uid"]}
    owned = lamp(kind, "owned", instance["status"]["namespace"])
    owned["metadata"]["ownerReferences"] = [owner]
    await make(space, owned)
    await space.client.delete(WORKLOAD, "lights", space.namespace)
    await space.gone(WORKLOAD, "lights")
    assert await find(space, lamps(kind)) is None


async def test_a_kind_stays_for_an_object_that_something_of_others_owns(space: Space, kind: str) -> None:
    await space.deploy("lights", [lamps(kind), CONFIG])
    await space.ready(WORKLOAD, "lights")
    house = await space.cluster.create({**CONFIG, "metadata": {"name": f"house-{kind}", "namespace": "default"}})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", **{key: house["metadata"][key] for key in ("name", "uid")}}
    theirs = lamp(kind, "theirs", "default")
    theirs["metadata"]["ownerReferences"] = [owner]
    await make(space, theirs)
    await space.client.delete(WORKLOAD, "lights", space.namespace)
    await space.gone(WORKLOAD, "lights")
    assert await is_left_to_others(space, lamps(kind))
    assert f"ConfigMap default/house-{kind}" in await told(space, "CustomResourceDefinitionKept")
    await space.cluster.delete("v1", "ConfigMap", f"house-{kind}", "default", uid=house["metadata"]["uid"])


@pytest.mark.cluster
@pytest.mark.parametrize("shared_runtime", ["real"], indirect=True)
async def test_what_holds_a_kind_that_goes_is_named(space: Space, kind: str) -> None:
    await space.deploy("lights", [lamps(kind), CONFIG])
    instance = await space.ready(INSTANCE, "lights")
    held = lamp(kind, "held", "default")
    held["metadata"] |= {"finalizers": [HOLD], "labels": {INSTANCE_LABEL: instance["metadata"]["uid"]}}
    await make(space, held)
    await space.client.delete(WORKLOAD, "lights", space.namespace)

    async def is_named() -> bool:
        told = str(((await space.get(INSTANCE, "lights")) or {}).get("status"))
        return f"of its kind Lamp default/held (held by finalizer {HOLD})" in told

    await space.until(is_named)
    await hold(space, held)
    await space.gone(WORKLOAD, "lights")
    assert await find(space, lamps(kind)) is None


async def test_a_kind_that_leaves_the_definition_stays_as_long_as_others_have_objects_of_it(
    space: Space, kind: str
) -> None:
    await space.deploy("lights", [lamps(kind), CONFIG])
    await space.ready(WORKLOAD, "lights")
    theirs = await make(space, lamp(kind, "theirs", "default"))
    await space.client.patch(WORKLOAD, "lights", space.namespace, {"spec": {"manifests": [CONFIG]}})

    async def is_given_up() -> bool:
        instance = await space.ready(INSTANCE, "lights")
        return all(item["kind"] != "CustomResourceDefinition" for item in instance["status"]["inventory"])

    await space.until(is_given_up)
    assert await is_left_to_others(space, lamps(kind))
    assert await find(space, theirs) is not None


async def test_a_namespace_stays_for_an_object_of_an_unknown_kind_by_what_that_owns(space: Space, kind: str) -> None:
    """As for the database of somebody whose operator has made all that is seen of it."""
    own: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"own-{space.namespace}"}}
    await space.deploy("shop", [own, CONFIG])
    await space.ready(INSTANCE, "shop")
    await space.cluster.apply(lamps(kind))
    theirs = await make(space, lamp(kind, "theirs", own["metadata"]["name"]))
    owner = {"apiVersion": f"{kind}/v1", "kind": "Lamp", "name": "theirs", "uid": theirs["metadata"]["uid"]}
    bulb: dict[str, Any] = {**CONFIG, "metadata": {"name": "bulb", "namespace": own["metadata"]["name"]}}
    bulb["metadata"]["ownerReferences"] = [owner]
    await space.cluster.create(bulb)
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    await space.gone(WORKLOAD, "shop")
    assert await is_left_to_others(space, own)
    assert await find(space, theirs) is not None
    assert f"Lamp {own['metadata']['name']}/theirs" in await told(space, "NamespaceKept")
    left = await find(space, own)
    assert left is not None
    await space.cluster.delete("v1", "Namespace", own["metadata"]["name"], None, uid=left["metadata"]["uid"])


async def test_what_belongs_to_something_that_is_in_no_namespace_or_is_ours_does_not_keep_one(
    space: Space, kind: str
) -> None:
    own: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"own-{space.namespace}"}}
    await space.deploy("shop", [own, lamps(kind), {**lamp(kind, "ours", ""), "metadata": {"name": "ours"}}])
    await space.ready(INSTANCE, "shop")
    ours = await find(space, lamp(kind, "ours", own["metadata"]["name"]))
    default = await find(space, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    assert ours is not None
    assert default is not None
    for name, owner in (("of-ours", ours), ("of-all", default)):
        reference = {field: owner["metadata"][field] for field in ("name", "uid")}
        reference |= {field: owner[field] for field in ("apiVersion", "kind")}
        metadata = {"name": name, "namespace": own["metadata"]["name"], "ownerReferences": [reference]}
        await space.cluster.create({**CONFIG, "metadata": metadata})
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    await space.gone(WORKLOAD, "shop")
    assert await find(space, own) is None
