"""Deletions that others hold up say who does, and what cannot or shall not be taken out of a cluster is let go."""

from __future__ import annotations

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import INSTANCE, WORKLOAD, Space
from tests.integration.operators.test_workload import labelled, objects_of
from threeport.common.types import JsonObject
from threeport.kube.labels import INSTANCE_LABEL
from threeport.kube.threeport_workload import threeport_workload_kind, threeport_workload_name
from threeport.resources.annotations import ABANDON
from threeport.resources.core import Event
from threeport.resources.model import kind_of

EVENT = kind_of(Event)
FINALIZER = "example.com/audit"


async def test_a_pod_that_somebody_else_holds_is_named_while_its_deployment_goes(space: Space) -> None:
    await space.deploy("held", [DEPLOYMENT])
    uid = (await space.ready(INSTANCE, "held"))["metadata"]["uid"]

    async def its_pods() -> list[JsonObject]:
        return await space.cluster.list("v1", "Pod", label_selector=f"{INSTANCE_LABEL}={uid}")

    pod = (await space.until(its_pods))[0]
    await space.patch_as_somebody_else(pod, {"metadata": {"finalizers": [FINALIZER]}})
    await space.client.delete(WORKLOAD, "held", space.namespace)

    async def is_named() -> bool:
        message = await space.says(INSTANCE, "held", "Deleting")
        return (
            f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']} (held by finalizer {FINALIZER})" in message
        )

    await space.until(is_named)
    assert "Deployment/web" in await objects_of(space, "held")
    await space.patch_as_somebody_else(pod, {"metadata": {"finalizers": []}})
    await space.gone(WORKLOAD, "held")
    assert await labelled(space, uid, ("apps/v1", "Deployment"), ("v1", "Pod"), ("v1", "Namespace")) == []


async def test_what_is_abandoned_stays_in_the_cluster_and_is_told(space: Space) -> None:
    await space.deploy("left", [CONFIG])
    instance = await space.ready(INSTANCE, "left")
    uid, before = instance["metadata"]["uid"], await objects_of(space, "left")
    await space.client.patch(INSTANCE, "left", space.namespace, {"metadata": {"annotations": {ABANDON: "true"}}})
    await space.client.delete(WORKLOAD, "left", space.namespace)
    await space.gone(WORKLOAD, "left")
    for obj in before.values():
        metadata = obj["metadata"]
        found = await space.cluster.get(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace"))
        assert found is not None
        assert not found["metadata"].get("deletionTimestamp")
    kind = threeport_workload_kind()
    assert await space.cluster.get(kind.api_version, kind.kind, threeport_workload_name("left", uid)) is None
    events = (await space.client.list(EVENT, space.namespace)).items
    (told,) = [event for event in events if event["reason"] == "Abandoned"]
    assert "ConfigMap" in told["message"]
    for key, obj in before.items():
        if key.startswith("Namespace/"):
            name = obj["metadata"]["name"]
            await space.cluster.delete("v1", "Namespace", name, None, uid=obj["metadata"]["uid"])
