"""The client against the real API: models in, models out, watches that last, errors with the server's words."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from tests.fixtures.api import Api, ApiProcesses
from threeport.bootstrap.local.processes import LOOPBACK
from threeport.client import Client, ClientSettings, Operation, Unreachable, WatchEvent
from threeport.client.config import ConfigError
from threeport.common.errors import AlreadyExists, Conflict, Invalid, NotFound, Unauthorized
from threeport.resources.core import Namespace
from threeport.resources.kubernetes_runtime import (
    KubernetesRuntimeDefinition,
    KubernetesRuntimeDefinitionSpec,
    KubernetesRuntimeInstance,
    KubernetesRuntimeInstanceSpec,
)
from threeport.resources.model import ObjectMeta, Reference, kind_of
from threeport.resources.workload import (
    WorkloadDefinition,
    WorkloadDefinitionSpec,
    WorkloadInstance,
    WorkloadInstanceSpec,
)
from threeport.store.records import Key

MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    async with Client(api.admin) as made:
        yield made


@pytest.fixture
async def namespace(client: Client) -> str:
    name = f"client-{uuid.uuid4().hex[:8]}"
    await client.create(Namespace(metadata=ObjectMeta(name=name)))
    return name


def definition(name: str, namespace: str, **labels: str) -> WorkloadDefinition:
    return WorkloadDefinition(
        metadata=ObjectMeta(name=name, namespace=namespace, labels=labels or None),
        spec=WorkloadDefinitionSpec(manifests=[MANIFEST]),
    )


async def test_an_object_lives_from_create_to_delete_as_its_model(client: Client, namespace: str) -> None:
    made = await client.create(definition("a", namespace))
    assert isinstance(made, WorkloadDefinition)
    made.metadata.labels = {"x": "y"}
    replaced = await client.replace(made)
    with pytest.raises(Conflict):
        await client.replace(made)
    patched = await client.patch(WorkloadDefinition, "a", namespace, {"metadata": {"labels": {"x": None, "z": "1"}}})
    assert (replaced.metadata.labels, patched.metadata.labels) == ({"x": "y"}, {"z": "1"})
    status = await client.patch_status(WorkloadDefinition, "a", namespace, {"resources": 1})
    assert status.status
    assert status.status.resources == 1
    with pytest.raises(AlreadyExists):
        await client.create(definition("a", namespace))
    await client.delete(WorkloadDefinition, "a", namespace)
    deleting = await client.find(WorkloadDefinition, "a", namespace)
    assert deleting is None or deleting.metadata.deletion_timestamp
    with pytest.raises(NotFound, match="nothing"):
        await client.get(WorkloadDefinition, "nothing", namespace)


async def test_apply_creates_changes_and_meets_other_managers(client: Client, namespace: str) -> None:
    first = await client.apply(definition("a", namespace, colour="red"), field_manager="one")
    again = await client.apply(definition("a", namespace, colour="red"), field_manager="one")
    assert again.metadata.resource_version == first.metadata.resource_version
    with pytest.raises(Conflict, match="colour"):
        await client.apply(definition("a", namespace, colour="blue"), field_manager="two")
    taken = await client.apply(definition("a", namespace, colour="blue"), field_manager="two", force=True)
    assert taken.metadata.labels == {"colour": "blue"}


async def test_lists_are_read_to_their_end_and_can_be_narrowed(
    client: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threeport.client.client.PAGE", 3)
    for number in range(8):
        await client.create(definition(f"d{number}", namespace, parity=str(number % 2)))
    instance = WorkloadInstance(
        metadata=ObjectMeta(name="i", namespace=namespace),
        spec=WorkloadInstanceSpec(definition_ref=Reference(name="d1")),
    )
    await client.create(instance)
    assert len((await client.list(WorkloadDefinition, namespace)).items) == 8
    odd = await client.list(WorkloadDefinition, namespace, label_selector="parity=1")
    assert [found.metadata.name for found in odd.items] == ["d1", "d3", "d5", "d7"]
    key = Key("workloaddefinitions.threeport.io", namespace, "d1")
    assert [found.metadata.name for found in (await client.list(WorkloadInstance, referring_to=key)).items] == ["i"]
    with pytest.raises(Conflict, match="i"):
        await client.delete(WorkloadDefinition, "d1", namespace)


async def test_plain_json_goes_in_and_out_where_a_kind_is_given(client: Client, namespace: str) -> None:
    found = (await client.catalog()).by_word("wd")
    assert found
    assert (found.kind, found.namespaced, found.has_status) == ("WorkloadDefinition", True, True)
    metadata = {"name": "a", "namespace": namespace}
    made = await client.create({"metadata": metadata, "spec": {"manifests": [MANIFEST]}}, found)
    assert made["metadata"]["uid"]
    table = await client.table(found, "a", namespace)
    assert table["rows"][0]["cells"][0] == "a"


async def test_a_transaction_does_all_or_nothing(client: Client, namespace: str) -> None:
    good = [Operation(verb="apply", obj=definition(name, namespace)) for name in "ab"]
    made = await client.transaction(good)
    assert [obj["metadata"]["name"] for obj in made] == ["a", "b"]
    bad = definition("d", namespace)
    bad.spec.manifests = [{"kind": "x"}]
    with pytest.raises(Invalid, match="operation 1"):
        await client.transaction(
            [Operation(verb="apply", obj=definition("c", namespace)), Operation(verb="apply", obj=bad)]
        )
    assert await client.find(WorkloadDefinition, "c", namespace) is None


async def test_sensitive_fields_are_shown_only_on_demand(client: Client) -> None:
    name = f"client-{uuid.uuid4().hex[:8]}"
    spec = KubernetesRuntimeDefinitionSpec(infra_provider="kubeconfig")
    await client.create(KubernetesRuntimeDefinition(metadata=ObjectMeta(name=name), spec=spec))
    instance = KubernetesRuntimeInstanceSpec(definition_ref=Reference(name=name), endpoint="https://k", token="canary")
    await client.create(KubernetesRuntimeInstance(metadata=ObjectMeta(name=name), spec=instance))
    hidden = await client.get(KubernetesRuntimeInstance, name)
    shown = await client.get(KubernetesRuntimeInstance, name, reveal=True)
    assert (hidden.spec.token or "").startswith("redacted:")
    assert shown.spec.token == "canary"


async def test_warnings_of_the_server_are_passed_on(api: Api, namespace: str) -> None:
    warnings: list[str] = []
    async with Client(api.admin, on_warning=warnings.append) as client:
        spec = WorkloadInstanceSpec(definition_ref=Reference(name="no-such-definition"))
        await client.create(WorkloadInstance(metadata=ObjectMeta(name="i", namespace=namespace), spec=spec))
    assert any("no-such-definition" in warning for warning in warnings)


async def take(events: AsyncIterator[WatchEvent[WorkloadDefinition]], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(30):
        return [(event.type, event.object.metadata.name) for event in [await anext(events) for _ in range(count)]]


async def test_a_watch_begins_with_what_there_is_and_goes_on_with_changes(client: Client, namespace: str) -> None:
    await client.create(definition("gone", namespace))
    await client.patch(WorkloadDefinition, "gone", namespace, {"metadata": {"finalizers": []}})
    await client.delete(WorkloadDefinition, "gone", namespace)
    await client.create(definition("a", namespace))
    async with aclosing(client.watch(WorkloadDefinition, namespace)) as events:
        assert await take(events, 1) == [("ADDED", "a")]
        # Both happen before the watch is opened, which is when its list has been taken: they come as a replay.
        await client.create(definition("b", namespace))
        await client.patch(WorkloadDefinition, "a", namespace, {"metadata": {"labels": {"x": "1"}, "finalizers": []}})
        assert await take(events, 2) == [("ADDED", "b"), ("MODIFIED", "a")]
        await client.patch(WorkloadDefinition, "a", namespace, {"metadata": {"labels": {"x": "2"}}})
        await client.delete(WorkloadDefinition, "a", namespace)
        assert await take(events, 2) == [("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_watch_outlives_the_server_and_misses_nothing(api_processes: ApiProcesses) -> None:
    [api] = api_processes(1)
    async with Client(api.admin) as client:
        await client.create(Namespace(metadata=ObjectMeta(name="outage")))
        await client.create(definition("before", "outage"))
        async with aclosing(client.watch(WorkloadDefinition, "outage")) as events:
            assert await take(events, 1) == [("ADDED", "before")]
            waiting = asyncio.create_task(take(events, 1))
            await asyncio.to_thread(api.process.kill)
            await asyncio.to_thread(api.process.start)
            await client.create(definition("after", "outage"))
            assert await waiting == [("ADDED", "after")]


async def test_who_is_not_known_is_told_so_and_a_server_that_is_away_is_named(api: Api) -> None:
    async with Client(api.anonymous) as anonymous:
        with pytest.raises(Unauthorized):
            await anonymous.list(WorkloadDefinition)
    async with Client(ClientSettings(url="https://127.0.0.1:1", ca_file=str(api.ca_file))) as nowhere:
        with pytest.raises(Unreachable, match="https://127.0.0.1:1 cannot be reached"):
            await nowhere.list(kind_of(WorkloadDefinition))


async def test_a_server_of_another_authority_is_not_trusted(api: Api) -> None:
    async with Client(ClientSettings(url=api.url)) as client:
        with pytest.raises(Unreachable, match="certificate"):
            await client.list(WorkloadDefinition)


async def test_a_token_file_is_read_again_when_it_changes(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("wrong")
    async with Client(ClientSettings(url=api.url, ca_file=str(api.ca_file), token_file=str(file))) as client:
        with pytest.raises(Unauthorized):
            await client.list(Namespace)
        file.write_text(api.agent("nobody").token or "")
        await client.catalog()


async def test_files_of_credentials_that_cannot_be_used_are_named(api: Api, tmp_path: Path) -> None:
    none, empty = str(tmp_path / "none.pem"), tmp_path / "empty.pem"
    empty.touch()
    for unusable, named in (
        (replace(api.admin, ca_file=none), none),
        (replace(api.admin, ca_file=str(empty)), str(empty)),
        (replace(api.admin, cert_file=none), none),
        (replace(api.admin, key_file=str(empty)), str(empty)),
    ):
        async with Client(unusable) as client:
            with pytest.raises(ConfigError, match=named):
                await client.get_path("/version")


@pytest.mark.parametrize("body", ["<html>Welcome to the proxy</html>", "[]", ""])
async def test_what_answers_and_is_no_api_is_told_as_such(body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body)

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    async with Client(ClientSettings(url=f"http://{LOOPBACK}:{runner.addresses[0][1]}")) as client:
        with pytest.raises(Unreachable, match="no Kubernetes-style API"):
            await client.list(WorkloadDefinition)
    await runner.cleanup()
