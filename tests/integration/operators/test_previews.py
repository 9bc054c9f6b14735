"""What a change would do is found out in the cluster, per field, without anything being changed."""

from __future__ import annotations

import uuid
from typing import Any

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import DEFINITION, INSTANCE, WORKLOAD, Space
from tests.integration.operators.test_workload import objects_of
from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition
from threeport.resources.model import kind_of
from threeport.resources.workload_preview import WorkloadPreview

PREVIEW = kind_of(WorkloadPreview)
SECRET: JsonObject = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key"},
    "stringData": {"k": "canary-1"},
}


async def previewed(space: Space, of: str, **spec: Any) -> JsonObject:
    """The status of a preview, once it is answered."""
    name = f"preview-{uuid.uuid4().hex[:8]}"
    await space.create(PREVIEW, name, {"instanceRef": {"name": of}, **spec})

    async def look() -> JsonObject | None:
        found = await space.get(PREVIEW, name)
        return found if found and condition(found.get("status"), READY) else None

    found = await space.until(look)
    await space.client.delete(PREVIEW, name, space.namespace)
    await space.gone(PREVIEW, name)
    status: JsonObject = found["status"]
    return status


def by_name(status: JsonObject) -> dict[str, JsonObject]:
    return {f"{one['kind']}/{one['name']}": one for one in status.get("resources") or ()}


def changes_of(resource: JsonObject) -> dict[str, tuple[Any, Any]]:
    return {one["path"]: (one.get("old"), one.get("new")) for one in resource.get("changes") or ()}


async def test_a_change_is_told_per_field_with_what_is_created_and_pruned_and_nothing_happens(space: Space) -> None:
    await space.deploy("shop", [CONFIG, DEPLOYMENT])
    await space.ready(WORKLOAD, "shop")
    before, instance = await objects_of(space, "shop"), await space.get(INSTANCE, "shop")
    changed = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 7}}
    status = await previewed(space, "shop", definition={"manifests": [changed, SECRET]})
    found = by_name(status)
    assert condition(status, READY)["message"] == "1 to create, 1 to change, 1 to prune; 1 unchanged"  # type: ignore[index]
    assert status["runtime"] == space.runtime
    assert found["Secret/key"]["action"] == "Create"
    assert found["ConfigMap/settings"]["action"] == "Prune"
    deployment = found[f"Deployment/{DEPLOYMENT['metadata']['name']}"]
    assert deployment["action"] == "Change"
    assert changes_of(deployment) == {"spec.replicas": (DEPLOYMENT["spec"].get("replicas"), 7)}
    after = await objects_of(space, "shop")
    assert {key: one["metadata"]["resourceVersion"] for key, one in after.items()} == {
        key: one["metadata"]["resourceVersion"] for key, one in before.items()
    }
    assert await space.get(INSTANCE, "shop") == instance


async def test_nothing_is_to_be_done_for_what_has_converged(space: Space) -> None:
    await space.deploy("calm", [CONFIG])
    await space.ready(WORKLOAD, "calm")
    status = await previewed(space, "calm")
    assert condition(status, READY)["message"] == "nothing to do; 2 unchanged"  # type: ignore[index]


async def test_an_instance_that_does_not_exist_is_previewed_and_what_is_wrong_with_it_is_told_per_object(
    space: Space,
) -> None:
    wrong = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "template": {"spec": {"containers": []}}}}
    unknown = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}}
    proposed = {"definitionRef": {"name": "none"}, "runtimeRef": {"name": space.runtime}}
    status = await previewed(space, "new", instance=proposed, definition={"manifests": [CONFIG, wrong, unknown]})
    found = by_name(status)
    assert found["Namespace/new-<suffix>"]["action"] == "Create"
    assert "without the quotas" in found["Namespace/new-<suffix>"]["message"]
    assert found["ConfigMap/settings"]["action"] == "Create"
    assert "error" not in found["ConfigMap/settings"]
    assert "is not accepted" in found[f"Deployment/{DEPLOYMENT['metadata']['name']}"]["error"]
    assert "no kind Gadget" in found["Gadget/g"]["error"]
    assert await space.get(INSTANCE, "new") is None


async def test_a_namespace_that_others_use_is_not_told_to_be_pruned(space: Space) -> None:
    own: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"own-{space.namespace}"}}
    theirs = {**CONFIG, "metadata": {"name": "theirs", "namespace": own["metadata"]["name"]}}
    await space.deploy("shop", [CONFIG, own])
    await space.ready(WORKLOAD, "shop")

    async def told() -> JsonObject:
        return by_name(await previewed(space, "shop", definition={"manifests": [CONFIG]}))[
            f"Namespace/own-{space.namespace}"
        ]

    assert (await told())["action"] == "Prune"
    made = await space.cluster.create(theirs)
    kept = await told()
    assert (kept["action"], "theirs" in kept["message"]) == ("Unchanged", True)
    await space.cluster.delete("v1", "ConfigMap", "theirs", own["metadata"]["name"], uid=made["metadata"]["uid"])


async def test_values_of_secrets_are_told_apart_and_not_shown(space: Space) -> None:
    await space.deploy("safe", [SECRET])
    await space.ready(WORKLOAD, "safe")
    status = await previewed(space, "safe", definition={"manifests": [{**SECRET, "stringData": {"k": "canary-2"}}]})
    ((path, (old, new)),) = changes_of(by_name(status)["Secret/key"]).items()
    assert path == "data.k"
    assert old.startswith("redacted:")
    assert new.startswith("redacted:")
    assert old != new
    assert "canary" not in str(status)
    assert "Y2FuYXJ5" not in str(status)  # in base64


async def test_drift_that_is_left_is_told_and_put_right_by_a_proposal_that_wants_it(space: Space) -> None:
    await space.create(DEFINITION, "pod", {"manifests": [CONFIG]})
    spec = {"definitionRef": {"name": "pod"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "warned", {**spec, "driftPolicy": "Warn"})
    namespace = (await space.ready(INSTANCE, "warned"))["status"]["namespace"]
    there = {**CONFIG, "metadata": {"name": "settings", "namespace": namespace}}
    await space.patch_as_somebody_else(there, {"data": {"colour": "blue"}})
    status = await previewed(space, "warned")
    found = by_name(status)["ConfigMap/settings"]
    assert found["action"] == "Unchanged"
    assert found["message"] == "was changed by others: data.colour; spec.driftPolicy Warn leaves it so"
    found = by_name(await previewed(space, "warned", instance={**spec, "driftPolicy": "Correct"}))["ConfigMap/settings"]
    assert (found["action"], changes_of(found)) == ("Change", {"data.colour": ("blue", "red")})


async def test_nobody_can_hand_anything_over_to_an_instance_that_does_not_exist(space: Space) -> None:
    place: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"theirs-{space.namespace}"}}
    made = await space.cluster.create(place)
    proposed = {"definitionRef": {"name": "none"}, "runtimeRef": {"name": space.runtime}}
    status = await previewed(space, "greedy", instance=proposed, definition={"manifests": [place]})
    error = by_name(status)[f"Namespace/{place['metadata']['name']}"]["error"]
    assert "does not belong to this workload" in error
    assert "kubectl label" not in error
    await space.cluster.delete("v1", "Namespace", place["metadata"]["name"], None, uid=made["metadata"]["uid"])


async def test_the_patches_of_an_instance_and_earlier_revisions_are_previewed(space: Space) -> None:
    await space.create(DEFINITION, "pod", {"manifests": [CONFIG]})
    reference = {"definitionRef": {"name": "pod"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "eu", reference)
    await space.ready(INSTANCE, "eu")
    status = await previewed(space, "eu", instance={**reference, "definitionRevision": 9})
    assert [one["action"] for one in status["resources"]] == ["Unchanged", "Unchanged"]  # it follows the newest
    await space.client.patch(DEFINITION, "pod", space.namespace, {"spec": {"rollout": {"strategy": "Manual"}}})
    patch = {"target": {"kind": "ConfigMap"}, "patch": {"data": {"extra": "1"}}}
    status = await previewed(space, "eu", instance={**reference, "patches": [patch]})
    assert changes_of(by_name(status)["ConfigMap/settings"]) == {"data.extra": (None, "1")}
    status = await previewed(space, "eu", instance={**reference, "definitionRevision": 9})
    assert condition(status, READY)["reason"] == "RevisionNotFound"  # type: ignore[index]
    assert (await previewed(space, "nobody"))["conditions"][0]["reason"] == "ReferenceNotFound"


async def test_a_preview_that_nobody_takes_away_goes_by_itself(space: Space) -> None:
    await space.create(PREVIEW, "left", {"instanceRef": {"name": "nobody"}, "ttl": "1s"})
    await space.gone(PREVIEW, "left", seconds=30)
