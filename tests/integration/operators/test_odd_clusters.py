"""Clusters that are neither well nor away: another one in their place, no way that leads there, one that is busy."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import web

from operators.workload.inventory import item_of
from operators.workload.keeping import Holdings
from operators.workload.teardown import take_out
from tests.fixtures.gate import Gate, gate_to, nothing, status
from tests.fixtures.manifests import CONFIG, SERVICE, config_map
from tests.fixtures.simulated import SimulatedCluster
from tests.integration.operators.conftest import DEFINITION, INSTANCE, RUNTIME, WORKLOAD, ControlPlane, Space
from tests.integration.operators.test_clusters import space_on
from threeport.client import Client
from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition, is_ready
from threeport.controller.progress import WAKE_ANNOTATION
from threeport.kube.access import ClusterAccess
from threeport.kube.agent_manifests import AGENT_ACCOUNT, AGENT_NAMESPACE
from threeport.kube.cluster import Cluster
from threeport.kube.labels import INSTANCE_LABEL
from threeport.kube.threeport_workload import threeport_workload_kind, threeport_workload_name

CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "threeportworkloads.agent.threeport.io")


@pytest.fixture
def access(simulated_cluster: SimulatedCluster) -> ClusterAccess:
    return ClusterAccess(
        endpoint=simulated_cluster.url,
        certificate_authority=simulated_cluster.ca_file.read_text(),
        token=simulated_cluster.token,
    )


@pytest.fixture
async def gate(access: ClusterAccess) -> AsyncIterator[Gate]:
    async with gate_to(access) as made:
        yield made


@pytest.fixture
async def behind(
    gate: Gate, access: ClusterAccess, control_plane: ControlPlane, admin: Client
) -> AsyncIterator[Space]:  # fmt: skip
    """A runtime behind the gate, and the administrator's access beside it."""
    space = await space_on(control_plane, admin, gate.url, token=str(access.token))
    space.cluster = Cluster(access)
    await space.ready(RUNTIME, space.runtime)
    yield space
    gate.answers = nothing
    await leave(space)


async def leave(space: Space) -> None:
    """Takes everything out again."""
    for found in (await space.client.list(WORKLOAD, space.namespace)).items:
        if not found["metadata"].get("deletionTimestamp"):
            await space.client.delete(WORKLOAD, found["metadata"]["name"], space.namespace)
        await space.gone(WORKLOAD, found["metadata"]["name"])
    if await space.get(RUNTIME, space.runtime) is not None:
        await space.client.delete(RUNTIME, space.runtime)
        await space.gone(RUNTIME, space.runtime)
    await space.cluster.close()


async def look_now(space: Space) -> None:
    """Has the runtime looked at without waiting for its timer."""
    wake = {"metadata": {"annotations": {WAKE_ANNOTATION: uuid.uuid4().hex}}}
    await space.client.patch(RUNTIME, space.runtime, None, wake)


def page_not_found(_: web.Request) -> web.Response:
    """As of a load balancer without the server behind it."""
    return web.Response(text="404 page not found", status=404)


async def test_a_deletion_waits_while_something_else_answers_in_the_place_of_the_cluster(
    behind: Space, gate: Gate
) -> None:
    await behind.deploy("shop", [CONFIG])
    namespace = (await behind.ready(INSTANCE, "shop"))["status"]["namespace"]
    gate.answers = page_not_found
    await behind.client.delete(WORKLOAD, "shop", behind.namespace)
    assert "does not answer as a Kubernetes API" in await behind.says(INSTANCE, "shop", "ClusterUnreachable")
    assert await behind.cluster.get("v1", "ConfigMap", "settings", namespace) is not None
    await look_now(behind)
    assert "does not answer as a Kubernetes API" in await behind.says(RUNTIME, behind.runtime, "ClusterUnreachable")
    gate.answers = nothing
    await behind.gone(WORKLOAD, "shop", seconds=90)
    assert await behind.cluster.get("v1", "Namespace", namespace) is None


async def test_a_deletion_waits_while_no_way_leads_to_the_cluster_any_more(behind: Space, gate: Gate) -> None:
    await behind.deploy("shop", [CONFIG])
    namespace = (await behind.ready(INSTANCE, "shop"))["status"]["namespace"]
    await behind.client.patch(RUNTIME, behind.runtime, None, {"spec": {"endpoint": None}})
    await behind.client.delete(WORKLOAD, "shop", behind.namespace)
    message = await behind.says(INSTANCE, "shop", "ClusterUnreachable")
    assert f"{behind.runtime} has no spec.endpoint any more" in message
    assert "--abandon" in message
    assert await behind.cluster.get("v1", "ConfigMap", "settings", namespace) is not None
    await behind.client.patch(RUNTIME, behind.runtime, None, {"spec": {"endpoint": gate.url}})
    await behind.gone(WORKLOAD, "shop", seconds=90)
    assert await behind.cluster.get("v1", "Namespace", namespace) is None


def too_many_requests(_: web.Request) -> web.Response:
    return status(429, "TooManyRequests", "too many requests, please try again later")


async def test_a_cluster_that_is_busy_is_there(behind: Space, gate: Gate) -> None:
    gate.answers = too_many_requests
    await look_now(behind)

    async def has_looked() -> bool:
        name = f"KubernetesRuntimeInstance {behind.runtime}"
        return f"{name}: stays as it is" in behind.plane.runtime.log.read_text()

    await behind.until(has_looked)
    runtime = await behind.get(RUNTIME, behind.runtime)
    assert runtime is not None
    assert is_ready(runtime)
    await behind.client.patch(RUNTIME, behind.runtime, None, {"spec": {"agent": {"metricsPort": 18080}}})
    await behind.says(RUNTIME, behind.runtime, "ClusterBusy")
    gate.answers = nothing
    await behind.ready(RUNTIME, behind.runtime)


def services_are_down(request: web.Request) -> web.Response | None:
    """As a kind whose own server, or whose conversion webhook, is down."""
    if request.method == "GET" and request.path.endswith("/services") and "watch" not in request.query:
        return status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
    return None


async def test_that_one_kind_cannot_be_listed_keeps_no_other_from_being_applied(behind: Space, gate: Gate) -> None:
    """Else what mends a webhook could not be applied as long as that is down."""
    manifests = [CONFIG, SERVICE]
    await behind.deploy("shop", manifests)
    namespace = (await behind.ready(INSTANCE, "shop"))["status"]["namespace"]
    gate.answers = services_are_down
    changed = [config_map("settings", "blue"), config_map("more", "blue")]
    await behind.client.patch(WORKLOAD, "shop", behind.namespace, {"spec": {"manifests": [*changed, SERVICE]}})
    message = await behind.says(INSTANCE, "shop", "ClusterFailed")
    assert f"objects of kind Service in {namespace}: the cluster answered 503" in message
    found = [await behind.cluster.get("v1", "ConfigMap", name, namespace) for name in ("settings", "more")]
    assert [one and one["data"] for one in found] == [{"colour": "blue"}] * 2
    # Nor does what cannot be seen count as gone when it leaves the definition.
    await behind.client.patch(WORKLOAD, "shop", behind.namespace, {"spec": {"manifests": changed}})
    generation = await definition_generation(behind, "shop")

    async def is_looked_at() -> bool:
        instance = await behind.get(INSTANCE, "shop")
        assert instance is not None
        ready = condition(instance["status"], READY)
        assert ready is not None
        is_newest = instance["spec"]["definitionRevision"] == generation
        return is_newest and ready["observedGeneration"] == instance["metadata"]["generation"]

    await behind.until(is_looked_at)
    assert "objects of kind Service" in await behind.says(INSTANCE, "shop", "ClusterFailed")
    gate.answers = nothing
    await behind.ready(INSTANCE, "shop")
    assert await behind.cluster.get("v1", "Service", "web", namespace) is None


async def definition_generation(space: Space, name: str) -> int:
    """The generation of the definition when it has the manifests of its Workload."""

    async def look() -> int | None:
        workload, definition = await space.get(WORKLOAD, name), await space.get(DEFINITION, name)
        if workload is None or definition is None or workload["spec"]["manifests"] != definition["spec"]["manifests"]:
            return None
        return int(definition["metadata"]["generation"])

    return await space.until(look)


async def test_what_an_agent_no_longer_finds_is_told_to_it_again_at_once(behind: Space) -> None:
    """Or the cluster is another one, made anew in the place of the former."""
    await behind.deploy("shop", [CONFIG])
    instance = await behind.ready(INSTANCE, "shop")
    kind, namespace = threeport_workload_kind(), instance["status"]["namespace"]
    where = (kind.api_version, kind.kind, threeport_workload_name("shop", instance["metadata"]["uid"]))
    told = await behind.cluster.get(*where)
    assert told is not None
    config = await behind.cluster.get("v1", "ConfigMap", "settings", namespace)
    assert config is not None
    await behind.cluster.delete("v1", "ConfigMap", "settings", namespace, uid=config["metadata"]["uid"])
    await behind.cluster.delete(*where, None, uid=told["metadata"]["uid"])

    async def is_back() -> bool:
        found = await behind.cluster.get(*where), await behind.cluster.get("v1", "ConfigMap", "settings", namespace)
        return None not in found

    await behind.until(is_back)
    await behind.ready(INSTANCE, "shop")


async def test_a_token_for_an_account_that_was_made_anew_is_made_anew_too(behind: Space) -> None:
    file = behind.plane.agents.directory / f"{behind.runtime}.json"
    before = token_in(file)
    account = await behind.cluster.get("v1", "ServiceAccount", AGENT_ACCOUNT, AGENT_NAMESPACE)
    assert account is not None
    await behind.cluster.delete("v1", "ServiceAccount", AGENT_ACCOUNT, AGENT_NAMESPACE, uid=account["metadata"]["uid"])
    await look_now(behind)

    async def is_new() -> bool:
        return token_in(file) != before

    await behind.until(is_new)


def token_in(file: Path) -> str:
    content: JsonObject = orjson.loads(file.read_bytes())
    return str(content["kubeconfig"]["users"][0]["user"]["token"])


async def test_what_two_runtimes_share_stays_until_the_last_of_them_goes_though_nothing_runs_there(
    behind: Space, gate: Gate, control_plane: ControlPlane, admin: Client
) -> None:
    other = await space_on(control_plane, admin, gate.url, token=str(behind.cluster.access.token))
    await other.ready(RUNTIME, other.runtime)
    before = await behind.cluster.get(*CRD)
    assert before is not None
    await leave(other)
    after = await behind.cluster.get(*CRD)
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
    await admin.delete(RUNTIME, behind.runtime)
    await behind.gone(RUNTIME, behind.runtime)

    async def is_gone() -> bool:
        return await behind.cluster.get(*CRD) is None

    await behind.until(is_gone)


async def test_what_others_make_anew_as_often_as_it_is_deleted_is_waited_for_and_not_chased(
    gate: Gate, access: ClusterAccess
) -> None:
    made = 0

    def make_anew(request: web.Request) -> web.Response | None:
        nonlocal made
        if request.method == "GET" and request.path.endswith("/configmaps"):
            made += 1
            metadata = {"name": "settings", "namespace": "n", "uid": str(made), "labels": {INSTANCE_LABEL: "u"}}
            return web.json_response({"kind": "ConfigMapList", "metadata": {}, "items": [{"metadata": metadata}]})
        return web.json_response({"kind": "Status", "status": "Success"}) if request.method == "DELETE" else None

    async def tell(*_: object) -> None:
        """Nothing stays for others here."""

    gate.answers = make_anew
    cluster = Cluster(ClusterAccess(endpoint=gate.url, token=access.token))
    holdings = Holdings(
        cluster=cluster, uid="u", inventory=[item_of(config_map("settings", "red")) | {"namespace": "n"}]
    )
    async with asyncio.timeout(20):
        assert "ConfigMap n/settings" in await take_out(holdings, check_lease=lambda: None, tell=tell)
    assert made == 2
    await cluster.close()
