"""The `kubernetes` package against the running API: its sync, dynamic and asyncio clients, and its informer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import kubernetes as k8s
import pytest
from kubernetes.aio import client as aio_client
from kubernetes.aio import config as aio_config
from kubernetes.aio import watch as aio_watch
from kubernetes.dynamic import DynamicClient
from kubernetes.informer import SharedInformer

from tests.integration.clients.conftest import API_VERSION, GROUP, PLURAL, READY, VERSION, labelled

WHERE = (GROUP, VERSION, "default", PLURAL)
DEADLINE = 20
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


def is_ready(obj: dict[str, Any]) -> bool:
    """Whether somebody has said that the object is ready: what all of these clients wait for by a watch."""
    return any(each["type"] == "Ready" for each in obj.get("status", {}).get("conditions", ()))


@pytest.fixture
def client(kubeconfig: str) -> Iterator[k8s.client.ApiClient]:
    """The synchronous client."""
    with k8s.config.new_client_from_config(kubeconfig) as made:
        yield made


@pytest.fixture
async def aio(kubeconfig: str) -> AsyncIterator[aio_client.ApiClient]:
    """The asynchronous client."""
    made = await aio_config.new_client_from_config(kubeconfig)
    async with made:
        yield made


def test_custom_objects_sync(client: k8s.client.ApiClient, definition: dict[str, Any], name: str) -> None:
    api = k8s.client.CustomObjectsApi(client)
    created = api.create_namespaced_custom_object(*WHERE, definition)
    revision = created["metadata"]["resourceVersion"]
    listed = api.list_namespaced_custom_object(*WHERE, label_selector=f"test={name}")
    assert [item["metadata"]["name"] for item in listed["items"]] == [name]
    patched = api.patch_namespaced_custom_object(*WHERE, name, labelled("gold"))
    assert patched["metadata"]["labels"]["tier"] == "gold"
    definition["metadata"]["labels"]["tier"] = "silver"
    applied = api.patch_namespaced_custom_object(
        *WHERE, name, definition, field_manager="tests", force=True, _content_type=APPLY
    )
    assert applied["metadata"]["labels"]["tier"] == "silver"
    api.patch_namespaced_custom_object_status(*WHERE, name, READY)
    events = k8s.watch.Watch().stream(
        api.list_namespaced_custom_object, *WHERE,
        field_selector=f"metadata.name={name}", resource_version=revision, timeout_seconds=DEADLINE,
    )  # fmt: skip
    while not is_ready(next(events)["object"]):
        pass
    api.delete_namespaced_custom_object(*WHERE, name)
    while next(events)["type"] != "DELETED":
        pass
    with pytest.raises(k8s.client.ApiException, match="404"):
        api.get_namespaced_custom_object(*WHERE, name)


def test_core_objects_sync(client: k8s.client.ApiClient, name: str) -> None:
    core = k8s.client.CoreV1Api(client)
    core.create_namespace(k8s.client.V1Namespace(metadata=k8s.client.V1ObjectMeta(name=name)))
    assert name in [namespace.metadata.name for namespace in core.list_namespace().items]
    assert core.read_namespace(name).status.phase == "Active"
    core.delete_namespace(name)
    for event in k8s.watch.Watch().stream(core.list_namespace, timeout_seconds=DEADLINE):
        if event["type"] == "DELETED" and event["object"].metadata.name == name:
            return
    pytest.fail("the namespace is still there")


def test_dynamic(client: k8s.client.ApiClient, definition: dict[str, Any], name: str) -> None:
    resource = DynamicClient(client).resources.get(api_version=API_VERSION, kind="WorkloadDefinition")
    created = resource.create(body=definition, namespace="default")
    revision = created.metadata.resourceVersion
    events = resource.watch(namespace="default", name=name, timeout=DEADLINE, resource_version=revision)
    assert [item.metadata.name for item in resource.get(namespace="default", label_selector=f"test={name}").items]
    definition["metadata"]["labels"]["tier"] = "gold"
    applied = resource.server_side_apply(
        body=definition, name=name, namespace="default", field_manager="tests", force_conflicts=True
    )
    assert applied.metadata.labels.tier == "gold"
    assert next(events)["raw_object"]["metadata"]["name"] == name
    resource.status.patch(body=READY, name=name, namespace="default", content_type=MERGE)
    while not is_ready(next(events)["raw_object"]):
        pass
    resource.patch(body=labelled("silver"), name=name, namespace="default", content_type=MERGE)
    resource.delete(name=name, namespace="default")
    while next(events)["type"] != "DELETED":
        pass
    assert not resource.get(namespace="default", label_selector=f"test={name}").items


def test_the_informer_keeps_up(client: k8s.client.ApiClient, name: str) -> None:
    core = k8s.client.CoreV1Api(client)
    heard: dict[str, threading.Event] = {kind: threading.Event() for kind in ("ADDED", "MODIFIED", "DELETED")}
    informer = SharedInformer(core.list_namespace, label_selector=f"test={name}")
    for kind, event in heard.items():
        informer.add_event_handler(kind, lambda obj, event=event: event.set())
    informer.start()
    try:
        core.create_namespace({"metadata": {"name": name, "labels": {"test": name}}})
        assert heard["ADDED"].wait(DEADLINE)
        core.patch_namespace(name, labelled("gold"))
        assert heard["MODIFIED"].wait(DEADLINE)
        heard["MODIFIED"].clear()
        applied = {"apiVersion": "v1", "kind": "Namespace", **labelled("silver")}
        core.patch_namespace(name, applied, field_manager="tests", force=True, _content_type=APPLY)
        assert heard["MODIFIED"].wait(DEADLINE)
        assert [(each.metadata.name, each.metadata.labels["tier"]) for each in informer.cache.list()] == [
            (name, "silver")
        ]
        core.delete_namespace(name)
        assert heard["DELETED"].wait(DEADLINE)
        assert informer.cache.list() == []
    finally:
        informer.stop()


async def test_asyncio(aio: aio_client.ApiClient, definition: dict[str, Any], name: str) -> None:
    api = aio_client.CustomObjectsApi(aio)
    created = await api.create_namespaced_custom_object(*WHERE, definition)
    revision = created["metadata"]["resourceVersion"]
    listed = await api.list_namespaced_custom_object(*WHERE, label_selector=f"test={name}")
    assert [item["metadata"]["name"] for item in listed["items"]] == [name]
    await api.patch_namespaced_custom_object(*WHERE, name, labelled("gold"), _content_type=MERGE)
    await api.patch_namespaced_custom_object_status(*WHERE, name, READY, _content_type=MERGE)
    selection = {"field_selector": f"metadata.name={name}", "timeout_seconds": DEADLINE}
    async with aio_watch.Watch() as watch, asyncio.timeout(DEADLINE):
        async for event in watch.stream(api.list_namespaced_custom_object, *WHERE, **selection):
            if is_ready(event["object"]):
                break
    definition["metadata"]["labels"]["tier"] = "silver"
    applied = await api.patch_namespaced_custom_object(
        *WHERE, name, definition, field_manager="tests", force=True, _content_type=APPLY
    )
    assert applied["metadata"]["labels"]["tier"] == "silver"
    await api.delete_namespaced_custom_object(*WHERE, name)
    selection["resource_version"] = revision
    async with aio_watch.Watch() as watch, asyncio.timeout(DEADLINE):
        async for event in watch.stream(api.list_namespaced_custom_object, *WHERE, **selection):
            if event["type"] == "DELETED":
                break
