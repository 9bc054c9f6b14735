"""Deletion, on a simulated cluster and a real one: in reverse, in the foreground, and of nothing that is not ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import INSTANCE, WORKLOAD, Space
from tests.integration.operators.test_workload import labelled
from threeport.common.types import JsonObject
from threeport.kube.labels import INSTANCE_LABEL
from threeport.resources.core import Event
from threeport.resources.model import kind_of

HOLD = "example.com/hold"
"""A finalizer of somebody else."""

EVENT = kind_of(Event)


def placed(manifest: JsonObject, instance: JsonObject) -> JsonObject:
    """The manifest with the namespace that the instance was given."""
    namespace = {"namespace": instance["status"]["namespace"]}
    return {**manifest, "metadata": {**manifest["metadata"], **namespace}}


async def hold(space: Space, manifest: JsonObject, *finalizers: str) -> None:
    await space.patch_as_somebody_else(manifest, {"metadata": {"finalizers": list(finalizers)}})


async def find(space: Space, manifest: JsonObject) -> JsonObject | None:
    metadata = manifest["metadata"]
    return await space.cluster.get(
        manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace")
    )


async def test_what_others_hold_is_waited_for_and_named_and_what_was_applied_before_it_stays_meanwhile(
    space: Space,
) -> None:
    await space.deploy("shop", [CONFIG, DEPLOYMENT])
    instance = await space.ready(INSTANCE, "shop")
    namespace, uid = instance["status"]["namespace"], instance["metadata"]["uid"]
    deployment, config = placed(DEPLOYMENT, instance), placed(CONFIG, instance)
    await hold(space, deployment, HOLD)
    await space.client.delete(WORKLOAD, "shop", space.namespace)

    async def is_named() -> bool:
        """By the instance, and by the workload that a user looks at."""
        found = [await space.get(kind, "shop") for kind in (INSTANCE, WORKLOAD)]
        told = [str(((one or {}).get("status") or {}).get("conditions")) for one in found]
        return all("Deployment" in text and HOLD in text for text in told)

    await space.until(is_named)

    async def pods_are_gone() -> bool:
        return await labelled(space, uid, ("v1", "Pod"), ("apps/v1", "ReplicaSet")) == []

    await space.until(pods_are_gone)
    for obj in (config, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}):
        found = await find(space, obj)
        assert found is not None
        assert "deletionTimestamp" not in found["metadata"], "its turn has not come"
    await hold(space, config, HOLD)
    await hold(space, deployment)

    async def is_next() -> bool:
        text = str(((await space.get(INSTANCE, "shop")) or {}).get("status"))
        return "ConfigMap" in text and f"held by finalizer {HOLD}" in text and await find(space, deployment) is None

    await space.until(is_next)
    await hold(space, config)
    await space.gone(WORKLOAD, "shop")
    assert await labelled(space, uid, ("v1", "ConfigMap"), ("apps/v1", "Deployment"), ("v1", "Namespace")) == []


@pytest.mark.cluster
@pytest.mark.parametrize("shared_runtime", ["real"], indirect=True)
async def test_what_others_hold_in_a_namespace_that_goes_is_named_though_it_is_none_of_ours(space: Space) -> None:
    await space.deploy("shop", [CONFIG])
    namespace = (await space.ready(INSTANCE, "shop"))["status"]["namespace"]
    root = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": namespace}}

    async def is_there() -> bool:
        return await find(space, root) is not None

    await space.until(is_there)
    await hold(space, root, HOLD)
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    try:

        async def is_named() -> bool:
            text = str(((await space.get(INSTANCE, "shop")) or {}).get("status"))
            return f"in it ConfigMap {namespace}/kube-root-ca.crt (held by finalizer {HOLD})" in text

        await space.until(is_named)
    finally:
        await hold(space, root)
    await space.gone(WORKLOAD, "shop")


async def test_a_namespace_in_which_others_keep_something_stays_and_is_theirs_from_then_on(space: Space) -> None:
    own: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"own-{space.namespace}"}}
    inside = {**CONFIG, "metadata": {"name": "inside", "namespace": own["metadata"]["name"]}}
    theirs = {**CONFIG, "metadata": {"name": "theirs", "namespace": own["metadata"]["name"]}}
    await space.deploy("shop", [own, inside])
    uid = (await space.ready(INSTANCE, "shop"))["metadata"]["uid"]
    await space.cluster.create(theirs)
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    await space.gone(WORKLOAD, "shop")
    assert await labelled(space, uid, ("v1", "ConfigMap"), ("v1", "Namespace")) == []
    left = await find(space, own)
    assert left is not None
    assert "deletionTimestamp" not in left["metadata"]
    assert INSTANCE_LABEL not in left["metadata"].get("labels", {})
    assert await find(space, theirs) is not None
    assert await find(space, inside) is None
    events = (await space.client.list(EVENT, space.namespace)).items
    (told,) = [event["message"] for event in events if event["reason"] == "NamespaceKept"]
    assert "ConfigMap" in told
    assert "theirs" in told
    await space.cluster.delete("v1", "Namespace", own["metadata"]["name"], None, uid=left["metadata"]["uid"])


async def test_a_namespace_that_was_handed_over_stays_too_though_it_keeps_the_label_that_others_gave_it(
    space: Space,
) -> None:
    name = f"given-{space.namespace}"
    given: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await space.deploy("shop", [CONFIG])
    uid = (await space.ready(INSTANCE, "shop"))["metadata"]["uid"]
    label = {"labels": {INSTANCE_LABEL: uid}}
    await space.cluster.create({**given, "metadata": {"name": name, **label}})
    await space.cluster.create({**CONFIG, "metadata": {"name": "theirs", "namespace": name}})
    inside = {**CONFIG, "metadata": {"name": "inside", "namespace": name}}
    await space.client.patch(WORKLOAD, "shop", space.namespace, {"spec": {"manifests": [given, inside]}})

    async def has_taken_it() -> bool:
        return await find(space, inside) is not None

    await space.until(has_taken_it)
    await space.ready(WORKLOAD, "shop")
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    await space.gone(WORKLOAD, "shop")
    left = await find(space, given)
    assert left is not None
    assert "deletionTimestamp" not in left["metadata"]
    assert await find(space, inside) is None
    await space.cluster.delete("v1", "Namespace", name, None, uid=left["metadata"]["uid"])


async def test_a_namespace_that_leaves_the_definition_stays_as_long_as_others_use_it(space: Space) -> None:
    names = [f"{name}-{space.namespace}" for name in ("one", "two")]
    one, two = ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names)
    manifests: list[Any] = [one, {**CONFIG, "metadata": {"name": "settings", "namespace": names[0]}}]
    await space.deploy("shop", [*manifests, two])
    await space.ready(WORKLOAD, "shop")
    await space.cluster.create({**CONFIG, "metadata": {"name": "theirs", "namespace": names[1]}})
    await space.client.patch(WORKLOAD, "shop", space.namespace, {"spec": {"manifests": manifests}})

    async def is_given_up() -> bool:
        instance = await space.ready(INSTANCE, "shop")
        return len(instance["status"]["inventory"]) == 2

    await space.until(is_given_up)
    left = await find(space, two)
    assert left is not None
    assert "deletionTimestamp" not in left["metadata"]
    assert INSTANCE_LABEL not in left["metadata"].get("labels", {})
    await space.cluster.delete("v1", "Namespace", names[1], None, uid=left["metadata"]["uid"])


async def test_tokens_that_the_cluster_keeps_for_accounts_are_nobodys_and_no_value_of_a_secret_is_read(
    space: Space,
) -> None:
    name = f"own-{space.namespace}"
    own: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await space.deploy(
        "shop", [own, CONFIG, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}]
    )
    await space.ready(INSTANCE, "shop")
    account = {"kubernetes.io/service-account.name": "robot"}
    await space.cluster.create({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "token", "namespace": name, "annotations": account}, "data": {"extra": "Y2FuYXJ5"},
    })  # fmt: skip
    (seen,) = await space.cluster.list("v1", "Secret", namespace=name, metadata_only=True)
    assert (seen["kind"], seen["metadata"]["name"]) == ("Secret", "token")
    assert "data" not in seen
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    await space.gone(WORKLOAD, "shop")
    assert await find(space, own) is None


async def test_what_leaves_the_definition_goes_in_reverse_order_too(space: Space) -> None:
    """What is held may need what is deleted after it, as an object of an operator needs that one to let it go."""
    kept = {**CONFIG, "metadata": {"name": "kept"}}
    await space.deploy("shop", [kept, CONFIG, DEPLOYMENT])
    instance = await space.ready(INSTANCE, "shop")
    deployment, config = placed(DEPLOYMENT, instance), placed(CONFIG, instance)
    await hold(space, deployment, HOLD)
    await space.client.patch(WORKLOAD, "shop", space.namespace, {"spec": {"manifests": [kept]}})
    assert f"Deployment {deployment['metadata']['namespace']}/web (held by finalizer {HOLD})" in await space.says(
        INSTANCE, "shop", "Pruning"
    )
    found = await find(space, config)
    assert found is not None
    assert "deletionTimestamp" not in found["metadata"], "its turn has not come"
    await hold(space, deployment)
    await space.ready(WORKLOAD, "shop")
    assert await find(space, config) is None
    assert await find(space, deployment) is None
