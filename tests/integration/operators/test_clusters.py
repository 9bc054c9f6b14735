"""Clusters that are away, come back, or are gone for good."""

from __future__ import annotations

import uuid

from tests.fixtures.manifests import CONFIG
from tests.fixtures.ports import free_port
from tests.fixtures.simulated import SimulatedCluster
from tests.integration.operators.conftest import (
    DEFINITION,
    INSTANCE,
    NAMESPACE,
    RUNTIME,
    RUNTIME_DEFINITION,
    WORKLOAD,
    ControlPlane,
    Space,
    ensure,
    simulated_runtime,
)
from tests.integration.operators.test_previews import previewed
from tests.integration.operators.test_waking import woken_by
from threeport.client import Client
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster


async def space_on(plane: ControlPlane, admin: Client, endpoint: str, **spec: str) -> Space:
    """A namespace, and a runtime at `endpoint`, which need not answer."""
    suffix = uuid.uuid4().hex[:8]
    space = Space(admin, f"team-{suffix}", f"away-{suffix}", plane, Cluster(ClusterAccess(endpoint=endpoint)))
    await admin.create({"metadata": {"name": space.namespace}}, NAMESPACE)
    await ensure(admin, RUNTIME_DEFINITION, "kubeconfig", {"infraProvider": "kubeconfig"})
    await ensure(admin, RUNTIME, space.runtime, {"definitionRef": {"name": "kubeconfig"}, "endpoint": endpoint, **spec})
    return space


async def test_a_cluster_that_comes_back_finds_its_workloads_waiting(
    control_plane: ControlPlane, admin: Client, simulated_cluster: SimulatedCluster
) -> None:
    space = await space_on(control_plane, admin, f"https://127.0.0.1:{free_port()}")
    assert "cannot be reached" in await space.says(RUNTIME, space.runtime, "ClusterUnreachable")
    await space.deploy("patient", [CONFIG])
    assert space.runtime in await space.says(INSTANCE, "patient", "RuntimeNotReady")
    access = {
        "endpoint": simulated_cluster.url,
        "token": simulated_cluster.token,
        "certificateAuthority": simulated_cluster.ca_file.read_text(),
    }
    runtime = await admin.patch(RUNTIME, space.runtime, None, {"spec": access})
    instance = await space.ready(INSTANCE, "patient", seconds=30)
    assert woken_by(instance) == runtime["metadata"]["uid"], "the workload did not wait out its delay"
    await space.ready(WORKLOAD, "patient")
    await admin.delete(WORKLOAD, "patient", space.namespace)
    await space.gone(WORKLOAD, "patient")
    await admin.delete(RUNTIME, space.runtime)
    await space.gone(RUNTIME, space.runtime)
    assert simulated_cluster.get("crd", "threeportworkloads.agent.threeport.io") is None


async def test_a_cluster_that_is_gone_for_good_can_be_let_go(control_plane: ControlPlane, admin: Client) -> None:
    space = await space_on(control_plane, admin, f"https://127.0.0.1:{free_port()}")
    await space.says(RUNTIME, space.runtime, "ClusterUnreachable")
    await admin.delete(RUNTIME, space.runtime)

    async def is_explained() -> bool:
        found = await space.get(RUNTIME, space.runtime)
        return found is not None and "--abandon" in str(found["status"]["conditions"])

    await space.until(is_explained)
    await admin.patch(RUNTIME, space.runtime, None, {"metadata": {"annotations": {"threeport.io/abandon": "true"}}})
    await space.gone(RUNTIME, space.runtime, seconds=30)


async def test_a_cluster_that_is_two_runtimes_keeps_what_the_other_needs_when_one_goes(
    control_plane: ControlPlane, admin: Client, simulated_cluster: SimulatedCluster
) -> None:
    access = {"token": simulated_cluster.token, "certificateAuthority": simulated_cluster.ca_file.read_text()}
    first = await space_on(control_plane, admin, simulated_cluster.url, **access)
    second = await space_on(control_plane, admin, simulated_cluster.url, **access)
    await second.deploy("stays", [CONFIG])
    await second.ready(WORKLOAD, "stays")
    await first.ready(RUNTIME, first.runtime)
    await admin.delete(RUNTIME, first.runtime)
    await first.gone(RUNTIME, first.runtime)
    assert simulated_cluster.get("threeportworkloads")["items"]
    await second.ready(WORKLOAD, "stays")
    await admin.delete(WORKLOAD, "stays", second.namespace)
    await second.gone(WORKLOAD, "stays")
    await admin.delete(RUNTIME, second.runtime)
    await second.gone(RUNTIME, second.runtime)
    assert simulated_cluster.get("crd", "threeportworkloads.agent.threeport.io") is None


async def test_a_move_from_a_cluster_that_is_away_is_previewed_and_says_what_it_waits_for_and_the_way_out(
    control_plane: ControlPlane, admin: Client, simulated_cluster: SimulatedCluster
) -> None:
    access = {"token": simulated_cluster.token, "certificateAuthority": simulated_cluster.ca_file.read_text()}
    space = await space_on(control_plane, admin, simulated_cluster.url, **access)
    await space.create(DEFINITION, "pod", {"manifests": [CONFIG]})
    spec = {"definitionRef": {"name": "pod"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "mover", spec)
    await space.ready(INSTANCE, "mover")
    await admin.patch(RUNTIME, space.runtime, None, {"spec": {"endpoint": f"https://127.0.0.1:{free_port()}"}})
    await space.says(RUNTIME, space.runtime, "ClusterUnreachable")
    async with simulated_runtime(control_plane, admin) as other:
        await space.ready(RUNTIME, other)
        moved = {**spec, "runtimeRef": {"name": other}}
        resources = (await previewed(space, "mover", instance=moved))["resources"]
        found = [(one["kind"], one["action"], one.get("runtime")) for one in resources]
        assert found == [
            ("Namespace", "Create", None), ("ConfigMap", "Create", None),
            ("ConfigMap", "Prune", space.runtime), ("Namespace", "Prune", space.runtime),
        ]  # fmt: skip
        assert [("the move waits" in one.get("error", "")) for one in resources] == [False, False, True, True]
        await admin.patch(INSTANCE, "mover", space.namespace, {"spec": moved})
        told = await space.says(INSTANCE, "mover", "ClusterUnreachable")
        assert told.endswith("--abandon, and then apply it again")
        abandoned = {"metadata": {"annotations": {"threeport.io/abandon": "true"}}}
        await admin.patch(INSTANCE, "mover", space.namespace, abandoned)
        await admin.delete(INSTANCE, "mover", space.namespace)
        await space.gone(INSTANCE, "mover")
