"""Workloads from apply to delete, on a simulated cluster and on a real one, with every process real."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import DEFINITION, INSTANCE, SIMULATED_ONLY, WORKLOAD, Space, sample
from threeport.common.types import JsonObject
from threeport.kube.labels import INSTANCE_LABEL


async def objects_of(space: Space, name: str) -> dict[str, JsonObject]:
    """What the inventory of an instance names and is in the cluster, as ``Kind/name``."""
    instance = await space.get(INSTANCE, name)
    assert instance is not None
    found = {}
    for item in instance["status"]["inventory"]:
        obj = await space.cluster.get(item["apiVersion"], item["kind"], item["name"], item.get("namespace"))
        if obj is not None:
            found[f"{item['kind']}/{item['name']}"] = obj
    return found


async def labelled(space: Space, uid: str, *kinds: tuple[str, str]) -> list[str]:
    """Names of the objects in the cluster that carry the label of an instance."""
    lists = [await space.cluster.list(*kind, label_selector=f"{INSTANCE_LABEL}={uid}") for kind in kinds]
    return [f"{obj['kind']}/{obj['metadata']['name']}" for found in lists for obj in found]


async def test_a_workload_becomes_ready_and_leaves_nothing_when_it_is_deleted(space: Space) -> None:
    await space.deploy("shop", [CONFIG, DEPLOYMENT])
    workload = await space.ready(WORKLOAD, "shop")
    assert workload["status"]["health"] == "Healthy"
    assert workload["status"]["readyResources"] == "3/3"
    instance = await space.ready(INSTANCE, "shop")
    uid = instance["metadata"]["uid"]
    kinds = (("v1", "ConfigMap"), ("v1", "Pod"), ("apps/v1", "Deployment"), ("v1", "Namespace"))
    assert len(await labelled(space, uid, *kinds)) == 5
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    for kind in (WORKLOAD, INSTANCE, DEFINITION):
        await space.gone(kind, "shop")
    assert await labelled(space, uid, *kinds) == []
    workloads = await space.cluster.list("agent.threeport.io/v1alpha1", "ThreeportWorkload")
    assert uid not in [one["spec"]["instance"]["uid"] for one in workloads]


async def test_a_change_updates_adds_and_removes_what_it_says_and_nothing_else(space: Space) -> None:
    await space.deploy("shop", [CONFIG, DEPLOYMENT])
    await space.ready(WORKLOAD, "shop")
    before = await objects_of(space, "shop")
    changed = deepcopy(DEPLOYMENT)
    changed["spec"]["replicas"] = 1
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"k": "canary"}}
    await space.client.patch(WORKLOAD, "shop", space.namespace, {"spec": {"manifests": [changed, secret]}})

    async def is_changed() -> dict[str, JsonObject] | None:
        found = await objects_of(space, "shop")
        return found if "Secret/key" in found and "ConfigMap/settings" not in found else None

    await space.until(is_changed)
    await space.ready(WORKLOAD, "shop")
    after = await objects_of(space, "shop")
    assert after["Deployment/web"]["spec"]["replicas"] == 1
    assert after["Deployment/web"]["metadata"]["uid"] == before["Deployment/web"]["metadata"]["uid"]
    namespace = next(name for name in after if name.startswith("Namespace/"))
    assert after[namespace]["metadata"]["resourceVersion"] == before[namespace]["metadata"]["resourceVersion"]


@pytest.mark.parametrize("name", ["wordpress", "own-namespace", "custom-resource", "job", "many-objects"])
async def test_a_sample_becomes_ready_and_goes(space: Space, name: str) -> None:
    await space.deploy(name, sample(name))
    await space.ready(WORKLOAD, name, seconds=120)
    await space.client.delete(WORKLOAD, name, space.namespace)
    await space.gone(WORKLOAD, name, seconds=120)


async def test_two_instances_of_one_definition_live_side_by_side(space: Space) -> None:
    await space.create(DEFINITION, "pod", {"manifests": [CONFIG]})
    for name in ("one", "two"):
        spec = {"definitionRef": {"name": "pod"}, "runtimeRef": {"name": space.runtime}}
        await space.create(INSTANCE, name, spec)
    first, second = await space.ready(INSTANCE, "one"), await space.ready(INSTANCE, "two")
    assert first["status"]["namespace"] != second["status"]["namespace"]
    changed: list[Any] = [{**CONFIG, "data": {"colour": "blue"}}]
    await space.client.patch(DEFINITION, "pod", space.namespace, {"spec": {"manifests": changed}})

    async def are_changed() -> bool:
        found = [(await objects_of(space, name)).get("ConfigMap/settings", {}) for name in ("one", "two")]
        return all(one.get("data") == {"colour": "blue"} for one in found)

    await space.until(are_changed)


async def test_what_refers_to_nothing_says_so_and_heals_when_it_appears(space: Space) -> None:
    spec = {"definitionRef": {"name": "later"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "early", spec)
    assert "later" in await space.says(INSTANCE, "early", "ReferenceNotFound")
    await space.create(DEFINITION, "later", {"manifests": [CONFIG]})
    await space.ready(INSTANCE, "early", seconds=20)


async def test_an_object_of_somebody_else_is_not_taken_over(space: Space) -> None:
    namespace = f"theirs-{space.namespace}"
    await space.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await space.deploy("greedy", [manifest])
    message = await space.says(INSTANCE, "greedy", "NotOurs")
    assert namespace in message
    assert "does not belong to this workload" in message
    await space.client.delete(WORKLOAD, "greedy", space.namespace)
    await space.gone(WORKLOAD, "greedy")
    found = await space.cluster.get("v1", "Namespace", namespace)
    assert found is not None
    assert not found["metadata"].get("deletionTimestamp")
    await space.cluster.delete("v1", "Namespace", namespace, None, uid=found["metadata"]["uid"])


async def test_what_is_handed_over_as_the_condition_says_is_taken_over_soon(space: Space) -> None:
    place: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"theirs-{space.namespace}"}}
    theirs = {**CONFIG, "metadata": {"name": "settings", "namespace": place["metadata"]["name"]}}
    await space.cluster.create(place)
    await space.cluster.create(theirs)
    await space.deploy("one", [{**theirs, "data": {"colour": "one"}}])
    told = await space.says(INSTANCE, "one", "NotOurs")
    command = told[told.index("kubectl") :].split()
    assert command[:6] == ["kubectl", "label", "configmap", "settings", "-n", place["metadata"]["name"]]
    key, uid = command[6].split("=")
    await space.patch_as_somebody_else(theirs, {"metadata": {"labels": {key: uid}}})
    await space.ready(INSTANCE, "one", seconds=30)
    await space.deploy("two", [{**theirs, "data": {"colour": "two"}}])
    told = await space.says(INSTANCE, "two", "NotOurs")
    assert f"to the instance one of uid {uid}" in told
    assert "--overwrite" in told
    for name in ("one", "two"):
        await space.client.delete(WORKLOAD, name, space.namespace)
        await space.gone(WORKLOAD, name)
    found = await space.cluster.get("v1", "Namespace", place["metadata"]["name"])
    assert found is not None
    await space.cluster.delete("v1", "Namespace", place["metadata"]["name"], None, uid=found["metadata"]["uid"])


async def test_a_refused_manifest_is_named_and_the_rest_is_applied(space: Space) -> None:
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "Wrong_Name"}}
    await space.deploy("half", [wrong, CONFIG])
    message = await space.says(INSTANCE, "half", "Rejected")
    assert "ConfigMap" in message
    assert "Wrong_Name" in message
    assert "ConfigMap/settings" in await objects_of(space, "half")
    await space.client.patch(WORKLOAD, "half", space.namespace, {"spec": {"manifests": [CONFIG]}})
    await space.ready(WORKLOAD, "half")


@SIMULATED_ONLY
async def test_a_name_with_dots_is_as_good_as_another(space: Space) -> None:
    name = f"{'x' * 39}.example"
    await space.deploy(name, [CONFIG])
    await space.ready(WORKLOAD, name)
