"""What is not there is told apart from what only seems so, by whoever answers in the place of a cluster."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web

from tests.cluster.provision import Cluster as RealCluster
from tests.fixtures.control_plane import until
from tests.fixtures.gate import Answers, Gate, gate_to, status
from tests.fixtures.simulated import SimulatedCluster
from tests.integration.operators.conftest import access_from
from threeport.common.types import JsonObject
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterUnreachable, KindUnknown, NamespaceMissing


def page_not_found(_: web.Request) -> web.Response:
    """A load balancer without the server behind it."""
    return web.Response(text="404 page not found", status=404)


def welcome(_: web.Request) -> web.Response:
    return web.json_response({"message": "we are moving, please come back"})


def no_such_cluster(_: web.Request) -> web.Response:
    """A gateway to many clusters that has forgotten this one."""
    return status(404, "NotFound", 'kubernetes cluster "eu" not found')


@pytest.fixture
async def gate(simulated_cluster: SimulatedCluster) -> AsyncIterator[Gate]:
    access = ClusterAccess(
        endpoint=simulated_cluster.url, certificate_authority=simulated_cluster.ca_file.read_text()
    )  # fmt: skip
    async with gate_to(access) as made:
        yield made


@pytest.fixture
async def gated(gate: Gate, simulated_cluster: SimulatedCluster) -> AsyncIterator[Cluster]:
    made = Cluster(ClusterAccess(endpoint=gate.url, token=simulated_cluster.token))
    yield made
    await made.close()


@pytest.mark.parametrize("known", [True, False], ids=["kinds-known", "kinds-unknown"])
@pytest.mark.parametrize("answers", [page_not_found, welcome, no_such_cluster])
async def test_nothing_is_absent_for_an_answer_that_no_cluster_gives(
    gated: Cluster, gate: Gate, answers: Answers, known: bool
) -> None:
    if known:
        await gated.list("v1", "ConfigMap", namespace="default")
    gate.answers = answers
    with pytest.raises(ClusterUnreachable, match="does not answer as a Kubernetes API"):
        await gated.list("v1", "ConfigMap", namespace="default")
    with pytest.raises(ClusterUnreachable, match="does not answer as a Kubernetes API"):
        await gated.get("v1", "ConfigMap", "settings", "default")
    with pytest.raises(ClusterUnreachable, match="does not answer as a Kubernetes API"):
        await gated.version()


async def test_what_a_cluster_says_is_absent_is_absent(gated: Cluster) -> None:
    assert await gated.get("v1", "ConfigMap", "settings", "default") is None
    assert await gated.get("v1", "ConfigMap", "settings", "nowhere") is None
    assert await gated.list("v1", "ConfigMap", namespace="nowhere") == []
    assert await gated.list("nobody.example.com/v1", "Nothing") == []
    await gated.delete("v1", "ConfigMap", "settings", "default", uid="u")


def definition(group: str, **served: bool) -> JsonObject:
    versions = [
        {"name": name, "served": is_served, "storage": name == "v1", "schema": {"openAPIV3Schema": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
        for name, is_served in served.items()
    ]  # fmt: skip
    names = {"plural": "lamps", "singular": "lamp", "kind": "Lamp", "listKind": "LampList"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": versions}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**crd, "metadata": {"name": f"lamps.{group}"}, "spec": spec}


@pytest.fixture
async def real(cluster: RealCluster) -> AsyncIterator[Cluster]:
    """Access to a real cluster: simulated ones have one version of each kind."""
    made = Cluster(access_from(cluster.kubeconfig))
    yield made
    await made.close()


@pytest.mark.cluster
async def test_objects_are_found_and_deleted_when_the_version_by_which_they_were_made_is_no_longer_served(
    real: Cluster,
) -> None:
    group = f"{uuid.uuid4().hex[:8]}.example.com"
    await real.apply(definition(group, v1=True, v1alpha1=True))
    lamp = {"apiVersion": f"{group}/v1alpha1", "kind": "Lamp", "metadata": {"name": "hall", "namespace": "default"}}

    async def is_made() -> bool:
        real.look_again_for_kinds()
        try:
            return bool(await real.apply(lamp))
        except (KindUnknown, NamespaceMissing):
            return False

    await until(is_made, seconds=60)
    await real.apply(definition(group, v1=True, v1alpha1=False))

    async def has_gone_out_of_service() -> bool:
        found = await real.list(f"{group}/v1alpha1", "Lamp", namespace="default")
        return [one["apiVersion"] for one in found] == [f"{group}/v1"]

    await until(has_gone_out_of_service, seconds=60)
    found = await real.get(f"{group}/v1alpha1", "Lamp", "hall", "default")
    assert found is not None
    await real.delete(f"{group}/v1alpha1", "Lamp", "hall", "default", uid=found["metadata"]["uid"])

    async def is_gone() -> bool:
        return await real.list(f"{group}/v1", "Lamp", namespace="default") == []

    await until(is_gone, seconds=60)
    crd = await real.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"lamps.{group}")
    assert crd is not None
    await real.delete(crd["apiVersion"], crd["kind"], f"lamps.{group}", None, uid=crd["metadata"]["uid"])

    async def is_unknown() -> bool:
        """Also by who still remembers where its objects were."""
        try:
            with suppress(ClusterUnreachable):  # while it is listed and no longer served
                assert await real.list(f"{group}/v1", "Lamp") == []
            await real.is_namespaced(f"{group}/v1", "Lamp")
        except KindUnknown:
            return True
        return False

    await until(is_unknown, seconds=60)
