"""What cannot be changed in place is replaced where the definition allows it, and named where it does not."""

from __future__ import annotations

from random import randrange
from typing import Any

import pytest

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import INSTANCE, WORKLOAD, Space
from tests.integration.operators.test_previews import by_name, previewed
from tests.integration.operators.test_workload import objects_of
from threeport.common.types import JsonObject
from threeport.resources.core import Event
from threeport.resources.model import kind_of

EVENT = kind_of(Event)
FINALIZER = "example.com/audit"


def selecting(label: str) -> JsonObject:
    template = {**DEPLOYMENT["spec"]["template"], "metadata": {"labels": {"app": label}}}
    spec = {**DEPLOYMENT["spec"], "selector": {"matchLabels": {"app": label}}, "template": template}
    return {**DEPLOYMENT, "spec": spec}


async def change(space: Space, name: str, **spec: Any) -> None:
    await space.client.patch(WORKLOAD, name, space.namespace, {"spec": spec})


async def deployed(space: Space, manifests: list[JsonObject]) -> dict[str, JsonObject]:
    await space.deploy("shop", manifests)
    await space.ready(WORKLOAD, "shop")
    return await objects_of(space, "shop")


async def replaced(space: Space, key: str, former: JsonObject) -> JsonObject:
    """Waits until another object stands in the place of `former`, and the instance is Ready."""

    async def look() -> JsonObject | None:
        found = (await objects_of(space, "shop")).get(key)
        return found if found and found["metadata"]["uid"] != former["metadata"]["uid"] else None

    found = await space.until(look, why=lambda: space.get(INSTANCE, "shop"))
    await space.ready(WORKLOAD, "shop")
    return found


async def test_a_field_that_cannot_change_is_named_with_what_to_do_and_the_rest_is_applied(space: Space) -> None:
    before = await deployed(space, [CONFIG, DEPLOYMENT])
    await change(space, "shop", manifests=[{**CONFIG, "data": {"colour": "blue"}}, selecting("other")])
    message = await space.says(INSTANCE, "shop", "FieldImmutable")
    assert "spec.selector.matchLabels.app cannot be changed in place" in message
    assert "onImmutableChange: Replace" in message
    after = await objects_of(space, "shop")
    assert after["Deployment/web"]["metadata"]["uid"] == before["Deployment/web"]["metadata"]["uid"]
    assert after["ConfigMap/settings"]["data"] == {"colour": "blue"}
    told = by_name(await previewed(space, "shop"))["Deployment/web"]
    assert told["action"] == "Change"
    assert "cannot be changed in place" in told["error"]
    await change(space, "shop", manifests=[CONFIG, DEPLOYMENT])
    await space.ready(WORKLOAD, "shop")


async def test_where_the_definition_allows_it_the_object_is_deleted_and_created_anew(space: Space) -> None:
    before = await deployed(space, [CONFIG, DEPLOYMENT])
    proposal = {"manifests": [CONFIG, selecting("other")], "onImmutableChange": "Replace"}
    told = by_name(await previewed(space, "shop", definition=proposal))["Deployment/web"]
    assert told["action"] == "Replace"
    assert {one["path"] for one in told["changes"]} >= {"spec.selector.matchLabels.app"}
    await change(space, "shop", **proposal)
    after = await replaced(space, "Deployment/web", before["Deployment/web"])
    assert after["spec"]["selector"] == {"matchLabels": {"app": "other"}}
    found = await objects_of(space, "shop")
    assert found["ConfigMap/settings"]["metadata"]["uid"] == before["ConfigMap/settings"]["metadata"]["uid"]
    events = (await space.client.list(EVENT, space.namespace)).items
    assert any(one["reason"] in ("Replaced", "Replacing") and "spec.selector" in one["message"] for one in events)


async def test_an_object_is_not_deleted_if_the_cluster_would_refuse_the_new_one(space: Space) -> None:
    before = await deployed(space, [DEPLOYMENT])
    wrong = selecting("other")
    wrong["spec"]["selector"] = {"matchLabels": {"app": "neither"}}
    await change(space, "shop", manifests=[wrong], onImmutableChange="Replace")
    await space.says(INSTANCE, "shop", "Rejected")
    after = (await objects_of(space, "shop"))["Deployment/web"]["metadata"]
    assert after["uid"] == before["Deployment/web"]["metadata"]["uid"]
    assert not after.get("deletionTimestamp")


async def test_a_controller_that_crashes_between_deletion_and_creation_goes_on(space: Space) -> None:
    before = await deployed(space, [DEPLOYMENT])
    held = before["Deployment/web"]
    await hold(space, held, [FINALIZER])
    await change(space, "shop", manifests=[selecting("other")], onImmutableChange="Replace")

    async def names_who_holds_it() -> bool:
        return FINALIZER in await space.says(INSTANCE, "shop", "Replacing")

    await space.until(names_who_holds_it)
    space.plane.workload.kill()
    going = (await objects_of(space, "shop"))["Deployment/web"]
    assert going["metadata"]["uid"] == held["metadata"]["uid"]
    assert going["metadata"]["deletionTimestamp"]
    await hold(space, going, [])
    space.plane.workload.start()
    after = await replaced(space, "Deployment/web", held)
    assert after["spec"]["selector"] == {"matchLabels": {"app": "other"}}


async def hold(space: Space, obj: JsonObject, finalizers: list[str]) -> None:
    """Sets the finalizers of an object in the cluster, beside the garbage collector's."""
    present = await space.cluster.get(
        obj["apiVersion"], obj["kind"], obj["metadata"]["name"], obj["metadata"]["namespace"]
    )
    assert present is not None
    others = [one for one in present["metadata"].get("finalizers") or () if one != FINALIZER]
    await space.patch_as_somebody_else(obj, {"metadata": {"finalizers": [*others, *finalizers]}})


class TestOnKubernetes:
    """Kinds whose fields only a real API server keeps from changing."""

    @pytest.fixture(params=[pytest.param("real", marks=pytest.mark.cluster)])
    def shared_runtime(self, request: pytest.FixtureRequest) -> str:
        return str(request.getfixturevalue("real_runtime"))

    @pytest.mark.parametrize("kind", ["Job", "StatefulSet", "RoleBinding"])
    async def test_jobs_stateful_sets_and_bindings_are_replaced(self, space: Space, kind: str) -> None:
        old, new = CHANGES[kind]
        before = await deployed(space, [CONFIG, old])
        await change(space, "shop", manifests=[CONFIG, new])
        message = await space.says(INSTANCE, "shop", "FieldImmutable")
        assert FIELDS[kind] in message
        await change(space, "shop", onImmutableChange="Replace")
        await replaced(space, f"{kind}/x", before[f"{kind}/x"])

    async def test_a_service_gets_the_address_that_it_is_given(self, space: Space) -> None:
        of_the_api = await space.cluster.get("v1", "Service", "kubernetes", "default")
        assert of_the_api is not None
        first, second, *_ = of_the_api["spec"]["clusterIP"].split(".")
        addresses = [f"{first}.{second}.{randrange(20, 250)}.{randrange(2, 250)}" for _ in range(2)]
        before = await deployed(space, [_service(addresses[0])])
        await change(space, "shop", manifests=[_service(addresses[1])])
        assert "spec.clusterIP" in await space.says(INSTANCE, "shop", "FieldImmutable")
        await change(space, "shop", onImmutableChange="Replace")
        after = await replaced(space, "Service/x", before["Service/x"])
        assert after["spec"]["clusterIP"] == addresses[1]

    async def test_a_claim_of_storage_is_never_replaced(self, space: Space) -> None:
        claim = {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "x"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "a",
                     "resources": {"requests": {"storage": "1Gi"}}},
        }  # fmt: skip
        await space.deploy("shop", [claim])

        async def is_there() -> bool:
            instance = await space.get(INSTANCE, "shop")
            status = (instance or {}).get("status") or {}
            return bool(status.get("appliedHash")) and "PersistentVolumeClaim/x" in await objects_of(space, "shop")

        await space.until(is_there)
        uid = (await objects_of(space, "shop"))["PersistentVolumeClaim/x"]["metadata"]["uid"]
        changed = {**claim, "spec": {**claim["spec"], "storageClassName": "b"}}  # type: ignore[dict-item]
        await change(space, "shop", manifests=[changed], onImmutableChange="Replace")
        assert "never replaced" in await space.says(INSTANCE, "shop", "FieldImmutable")
        assert (await objects_of(space, "shop"))["PersistentVolumeClaim/x"]["metadata"]["uid"] == uid


def _of(api_version: str, kind: str, **fields: Any) -> JsonObject:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **fields}


def _job(image: str) -> JsonObject:
    containers = [{"name": "c", "image": image}]
    return _of("batch/v1", "Job", spec={"template": {"spec": {"containers": containers, "restartPolicy": "Never"}}})


def _stateful_set(service: str) -> JsonObject:
    spec = {**DEPLOYMENT["spec"], "serviceName": service, "replicas": 1}
    return _of("apps/v1", "StatefulSet", spec=spec)


def _service(address: str) -> JsonObject:
    return _of("v1", "Service", spec={"clusterIP": address, "ports": [{"port": 80}]})


def _binding(role: str) -> JsonObject:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
    return _of("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef=reference, subjects=[])


CHANGES = {
    "Job": (_job("a:1"), _job("a:2")),
    "StatefulSet": (_stateful_set("a"), _stateful_set("b")),
    "RoleBinding": (_binding("a"), _binding("b")),
}
FIELDS = {
    "Job": "spec.template.spec.containers[name=c].image",
    "StatefulSet": "spec.serviceName",
    "RoleBinding": "roleRef.name",
}
