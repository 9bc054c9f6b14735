"""Revisions of definitions, who advances instances, how an instance differs, and what happens about drift."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import (
    DEFINITION,
    INSTANCE,
    RUNTIME,
    RUNTIME_DEFINITION,
    SIMULATED_ONLY,
    WORKLOAD,
    Space,
)
from tests.integration.operators.test_previews import previewed
from tests.integration.operators.test_workload import labelled, objects_of
from threeport.common.errors import Invalid
from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition
from threeport.resources.core import Event
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadDefinitionRevision

REVISION = kind_of(WorkloadDefinitionRevision)
EVENT = kind_of(Event)


def coloured(colour: str) -> JsonObject:
    return {**CONFIG, "data": {"colour": colour}}


async def define(space: Space, name: str, colour: str, strategy: str = "Automatic") -> None:
    await space.create(DEFINITION, name, {"manifests": [coloured(colour)], "rollout": {"strategy": strategy}})


async def recolour(space: Space, name: str, colour: str) -> None:
    await space.client.patch(DEFINITION, name, space.namespace, {"spec": {"manifests": [coloured(colour)]}})


async def instantiate(space: Space, name: str, definition: str, **spec: Any) -> None:
    reference = {"definitionRef": {"name": definition}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, name, {**reference, **spec})


async def change(space: Space, name: str, **spec: Any) -> None:
    await space.client.patch(INSTANCE, name, space.namespace, {"spec": spec})


async def kept(space: Space) -> list[int]:
    """The numbers of the revisions in the namespace."""
    found = (await space.client.list(REVISION, space.namespace)).items
    return sorted(one["spec"]["revision"] for one in found)


async def is_kept(space: Space, number: int) -> bool:
    """Whether there is a revision of this number in the namespace."""
    return number in await kept(space)


async def is_advanced_to(space: Space, instance: str, revision: int) -> bool:
    """Whether the instance has been told to run this revision."""
    found = await space.get(INSTANCE, instance)
    return found is not None and found["spec"].get("definitionRevision") == revision


async def becomes(space: Space, instance: str, colour: str) -> None:
    """Waits until the instance is Ready with this colour in the cluster."""

    async def look() -> bool:
        if not (((await space.get(INSTANCE, instance)) or {}).get("status") or {}).get("inventory"):
            return False
        found = (await objects_of(space, instance)).get("ConfigMap/settings") or {}
        return bool(found.get("data", {}).get("colour") == colour)

    await space.until(look)
    await space.ready(INSTANCE, instance)


async def test_every_change_makes_a_revision_that_instances_are_advanced_to_and_ten_are_kept(space: Space) -> None:
    await define(space, "pod", "colour-1")
    await instantiate(space, "eu", "pod")
    await space.ready(INSTANCE, "eu")
    for number in range(2, 13):
        await recolour(space, "pod", f"colour-{number}")

        await space.until(partial(is_kept, space, number))
    await becomes(space, "eu", "colour-12")
    # An old one that the instance still ran when the last change came goes with the next one.
    await recolour(space, "pod", "colour-13")
    await becomes(space, "eu", "colour-13")
    instance = await space.ready(INSTANCE, "eu")
    assert instance["spec"]["definitionRevision"] == instance["status"]["definitionGeneration"] == 13

    async def ten_are_kept() -> bool:
        return await kept(space) == list(range(4, 14))

    await space.until(ten_are_kept)
    revision = (await space.client.list(REVISION, space.namespace)).items[0]
    with pytest.raises(Invalid, match="makes a new revision"):
        await space.client.patch(REVISION, revision["metadata"]["name"], space.namespace, {"spec": {"revision": 99}})
    await space.client.delete(INSTANCE, "eu", space.namespace)
    await space.gone(INSTANCE, "eu")
    await space.client.delete(DEFINITION, "pod", space.namespace)

    async def none_is_kept() -> bool:
        return await kept(space) == []

    await space.until(none_is_kept)


async def test_with_a_manual_rollout_a_person_says_which_revision_runs(space: Space) -> None:
    await define(space, "pod", "red", "Manual")
    await instantiate(space, "eu", "pod")
    await becomes(space, "eu", "red")
    await recolour(space, "pod", "blue")

    await space.until(partial(is_kept, space, 2))
    space.plane.workload.stop()
    space.plane.workload.start()
    await change(space, "eu", driftPolicy="Warn")  # a reason to look at the instance, which stays where it is
    instance = await space.ready(INSTANCE, "eu")
    assert instance["status"]["definitionGeneration"] == 1
    await becomes(space, "eu", "red")
    await change(space, "eu", definitionRevision=2)
    await becomes(space, "eu", "blue")
    await change(space, "eu", definitionRevision=3)
    message = await space.says(INSTANCE, "eu", "RevisionNotFound")
    assert "1, 2" in message
    await recolour(space, "pod", "green")
    await becomes(space, "eu", "green")
    await change(space, "eu", definitionRevision=1)
    await becomes(space, "eu", "red")


async def test_an_instance_that_comes_to_another_definition_runs_the_newest_of_it_unless_a_person_decides(
    space: Space,
) -> None:
    await define(space, "red", "red")
    await define(space, "blue", "blue-1")
    for number in (2, 3):
        await recolour(space, "blue", f"blue-{number}")
        await space.until(partial(is_kept, space, number))
    await instantiate(space, "eu", "blue")
    await becomes(space, "eu", "blue-3")
    await change(space, "eu", definitionRef={"name": "red"})  # which has no revision 3
    await becomes(space, "eu", "red")
    await change(space, "eu", definitionRef={"name": "blue"})  # of which it names revision 1 now
    await becomes(space, "eu", "blue-3")
    await change(space, "eu", definitionRevision=2)
    await space.until(partial(is_advanced_to, space, "eu", 3))
    await becomes(space, "eu", "blue-3")


async def test_a_namespace_that_leaves_the_manifests_stays_while_they_have_something_in_it(space: Space) -> None:
    name = f"apart-{space.namespace}"
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    settings = {**CONFIG, "metadata": {"name": "settings", "namespace": name}}
    await space.deploy("shop", [home, settings])
    await space.ready(WORKLOAD, "shop")
    before = await objects_of(space, "shop")
    change: JsonObject = {"manifests": [{**settings, "data": {"colour": "blue"}}]}
    told = {one["kind"]: one for one in (await previewed(space, "shop", definition=change))["resources"]}
    assert (told["Namespace"]["action"], "stays" in told["Namespace"]["message"]) == ("Unchanged", True)
    await space.client.patch(WORKLOAD, "shop", space.namespace, {"spec": change})

    async def is_changed() -> bool:
        return bool((await objects_of(space, "shop"))["ConfigMap/settings"]["data"] == {"colour": "blue"})

    await space.until(is_changed)
    uid = (await space.ready(INSTANCE, "shop"))["metadata"]["uid"]
    after = await objects_of(space, "shop")
    assert {key: obj["metadata"]["uid"] for key, obj in after.items()} == {
        key: obj["metadata"]["uid"] for key, obj in before.items()
    }
    assert not any(obj["metadata"].get("deletionTimestamp") for obj in after.values())
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    await space.gone(WORKLOAD, "shop")
    assert await labelled(space, uid, ("v1", "Namespace"), ("v1", "ConfigMap")) == []


async def test_secrets_of_an_earlier_revision_come_back_in_clear_in_the_cluster_and_nowhere_else(space: Space) -> None:
    def secret(value: str) -> JsonObject:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"k": value}}

    spec = {"manifests": [secret("canary-1")], "rollout": {"strategy": "Manual"}}
    await space.create(DEFINITION, "pod", spec)
    await instantiate(space, "eu", "pod")
    first = (await objects_of(space, "eu"))["Secret/key"] if await space.ready(INSTANCE, "eu") else {}
    await space.client.patch(DEFINITION, "pod", space.namespace, {"spec": {"manifests": [secret("canary-2")]}})
    await change(space, "eu", definitionRevision=2)
    await space.ready(INSTANCE, "eu")
    await change(space, "eu", definitionRevision=1)
    await space.ready(INSTANCE, "eu")
    assert (await objects_of(space, "eu"))["Secret/key"]["data"] == first["data"]
    assert "canary" not in str((await space.client.list(REVISION, space.namespace)).items)


async def test_an_instance_differs_from_its_definition_by_its_patches(space: Space) -> None:
    await space.create(DEFINITION, "shop", {"manifests": [CONFIG, DEPLOYMENT]})
    scale = {"target": {"kind": "Deployment", "name": "web"}, "patch": {"spec": {"replicas": 1}}}
    paint = {"target": {"kind": "ConfigMap"}, "jsonPatch": [{"op": "replace", "path": "/data/colour", "value": "blue"}]}
    await instantiate(space, "eu", "shop", patches=[scale, paint])
    await becomes(space, "eu", "blue")
    assert (await objects_of(space, "eu"))["Deployment/web"]["spec"]["replicas"] == 1
    wrong = {"target": {"kind": "Service"}, "patch": {}}
    await change(space, "eu", patches=[scale, wrong])
    assert "spec.patches[1]" in await space.says(INSTANCE, "eu", "InvalidPatch")
    assert (await objects_of(space, "eu"))["ConfigMap/settings"]["data"] == {"colour": "blue"}
    await change(space, "eu", patches=None)
    await becomes(space, "eu", "red")
    assert (await objects_of(space, "eu"))["Deployment/web"]["spec"]["replicas"] == 2


async def test_drift_is_corrected_told_or_ignored_as_the_instance_says(space: Space) -> None:
    await space.create(DEFINITION, "shop", {"manifests": [DEPLOYMENT]})
    policies = ("Correct", "Warn", "Ignore")
    for policy in policies:
        await instantiate(space, policy.lower(), "shop", driftPolicy=policy, driftInterval="10s")
    for policy in policies:
        instance = await space.ready(INSTANCE, policy.lower())
        metadata = {"name": "web", "namespace": instance["status"]["namespace"]}
        await space.as_somebody_else({**DEPLOYMENT, "metadata": metadata}, replicas=3, paused=True)

    async def replicas(name: str) -> int:
        return int((await objects_of(space, name))["Deployment/web"]["spec"]["replicas"])

    async def is_corrected() -> bool:
        return await replicas("correct") == 2

    async def is_told() -> bool:
        return condition(((await space.get(INSTANCE, "warn")) or {}).get("status"), "Drifted") is not None

    await space.until(is_corrected)
    await space.until(is_told)
    assert (await objects_of(space, "correct"))["Deployment/web"]["spec"]["paused"] is True  # not a field of ours
    assert [await replicas(name) for name in ("warn", "ignore")] == [3, 3]

    async def told() -> dict[str, str]:
        events = (await space.client.list(EVENT, space.namespace)).items
        return {one["involvedObject"]["name"]: one["message"] for one in events if one["reason"] == "Drifted"}

    async def both_are_told() -> bool:
        return set(await told()) == {"correct", "warn"}

    await space.until(both_are_told)
    messages = await told()
    assert "put right" in messages["correct"]
    assert "left so" in messages["warn"]
    assert "spec.replicas" in messages["warn"]
    await change(space, "warn", driftPolicy="Correct")

    async def warning_is_over() -> bool:
        status = ((await space.get(INSTANCE, "warn")) or {}).get("status")
        return await replicas("warn") == 2 and condition(status, "Drifted") is None

    await space.until(warning_is_over)


async def test_what_an_update_took_away_comes_back_when_it_is_taken_back_halfway_and_drift_is_ignored(
    space: Space,
) -> None:
    await space.create(DEFINITION, "shop", {"manifests": [CONFIG, DEPLOYMENT]})
    await instantiate(space, "eu", "shop", driftPolicy="Ignore")
    await space.ready(INSTANCE, "eu")
    held = (await objects_of(space, "eu"))["Deployment/web"]
    await space.patch_as_somebody_else(held, {"metadata": {"finalizers": ["example.com/hold"]}})
    await space.client.patch(DEFINITION, "shop", space.namespace, {"spec": {"manifests": [CONFIG]}})
    await space.says(INSTANCE, "eu", "Pruning")
    await space.client.patch(DEFINITION, "shop", space.namespace, {"spec": {"manifests": [CONFIG, DEPLOYMENT]}})
    await space.says(INSTANCE, "eu", "Replacing")
    await space.patch_as_somebody_else(held, {"metadata": {"finalizers": []}})

    async def is_back() -> bool:
        found = (await objects_of(space, "eu")).get("Deployment/web")
        return found is not None and found["metadata"]["uid"] != held["metadata"]["uid"]

    await space.until(is_back)
    await space.ready(INSTANCE, "eu")


@SIMULATED_ONLY
async def test_a_workload_passes_its_policy_on_and_keeps_revisions(space: Space) -> None:
    spec = {"manifests": [coloured("red")], "runtimeRef": {"name": space.runtime}, "driftInterval": "1h"}
    await space.create(WORKLOAD, "easy", spec)
    await space.ready(WORKLOAD, "easy")
    update = {"spec": {"manifests": [coloured("blue")], "driftPolicy": "Ignore", "driftInterval": None}}
    await space.client.patch(WORKLOAD, "easy", space.namespace, update)
    await becomes(space, "easy", "blue")
    instance = await space.ready(INSTANCE, "easy")
    assert instance["spec"]["driftPolicy"] == "Ignore"
    assert "driftInterval" not in instance["spec"]
    assert instance["spec"]["definitionRevision"] == 2
    assert await kept(space) == [1, 2]
    assert condition(instance["status"], READY) is not None


async def test_the_word_of_the_agent_brings_drift_to_light_long_before_the_timer(space: Space) -> None:
    await space.create(DEFINITION, "shop", {"manifests": [CONFIG, DEPLOYMENT]})
    await instantiate(space, "eu", "shop", driftInterval="1h")
    instance = await space.ready(INSTANCE, "eu")
    metadata = {"name": "web", "namespace": instance["status"]["namespace"]}
    await space.as_somebody_else({**DEPLOYMENT, "metadata": metadata}, replicas=3)

    async def is_corrected() -> bool:
        return bool((await objects_of(space, "eu"))["Deployment/web"]["spec"]["replicas"] == 2)

    await space.until(is_corrected, seconds=20)
    await space.ready(INSTANCE, "eu")


@SIMULATED_ONLY
async def test_a_cluster_that_waits_for_its_definition_is_connected_when_that_appears(space: Space) -> None:
    name = f"late-{space.namespace}"
    await space.client.create({"metadata": {"name": name}, "spec": {"definitionRef": {"name": name}}}, RUNTIME)
    await space.says(RUNTIME, name, "ReferenceNotFound")
    body = {"metadata": {"name": name}, "spec": {"infraProvider": "simulated"}}
    await space.client.create(body, RUNTIME_DEFINITION)
    await space.ready(RUNTIME, name, seconds=20)
    await space.client.delete(RUNTIME, name)
    await space.gone(RUNTIME, name)
    await space.client.delete(RUNTIME_DEFINITION, name)


@SIMULATED_ONLY
async def test_a_cluster_whose_definition_does_not_exist_can_be_deleted(space: Space) -> None:
    name = f"typo-{space.namespace}"
    await space.client.create({"metadata": {"name": name}, "spec": {"definitionRef": {"name": name}}}, RUNTIME)
    await space.says(RUNTIME, name, "ReferenceNotFound")
    await space.client.delete(RUNTIME, name)
    await space.gone(RUNTIME, name)
