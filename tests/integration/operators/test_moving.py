"""An application that moves from one cluster to another: the old place is emptied, the new one filled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from tests.cluster.provision import Cluster as RealCluster
from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import (
    INSTANCE,
    WORKLOAD,
    ControlPlane,
    Space,
    cluster_of,
    runtime_on,
    simulated_runtime,
)
from tests.integration.operators.test_previews import previewed
from tests.integration.operators.test_workload import labelled
from threeport.client import Client
from threeport.resources.core import Event
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport

REPORT = kind_of(WorkloadReport)
EVENT = kind_of(Event)
KINDS = (("v1", "ConfigMap"), ("apps/v1", "Deployment"), ("v1", "Pod"), ("v1", "Namespace"))


@pytest.fixture
async def elsewhere(
    space: Space,
    shared_runtime: str | None,
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    admin: Client,
) -> AsyncIterator[Space]:
    """The namespace of `space` with a runtime on another cluster of the same sort."""
    async with AsyncExitStack() as stack:
        if shared_runtime is None:
            runtime = await stack.enter_async_context(simulated_runtime(control_plane, admin))
        else:
            clusters: Callable[[int], list[RealCluster]] = request.getfixturevalue("clusters")
            runtime = await stack.enter_async_context(runtime_on(clusters(2)[1], "real-2", control_plane, admin))
        cluster = await cluster_of(runtime, control_plane, admin)
        yield replace(space, runtime=runtime, cluster=cluster)
        for found in (await admin.list(WORKLOAD, space.namespace)).items:
            await admin.delete(WORKLOAD, found["metadata"]["name"], space.namespace)
            await space.gone(WORKLOAD, found["metadata"]["name"])
        await cluster.close()


async def move(space: Space, name: str, to: Space) -> None:
    await space.client.patch(WORKLOAD, name, space.namespace, {"spec": {"runtimeRef": {"name": to.runtime}}})


async def runs_only_in(here: Space, there: Space, uid: str) -> None:
    """Waits until the application is whole in one cluster, and nothing of it, nor of its agent's, is in the other."""

    async def has_moved() -> bool:
        instance = await here.ready(INSTANCE, "shop")
        return bool(instance["status"]["runtime"] == here.runtime)

    await here.until(has_moved)
    workload = await here.ready(WORKLOAD, "shop")
    assert workload["status"]["runtime"] == here.runtime
    assert len(await labelled(here, uid, *KINDS)) == 5
    assert await labelled(there, uid, *KINDS) == []
    told = await there.cluster.list("agent.threeport.io/v1alpha1", "ThreeportWorkload")
    assert uid not in [one["spec"]["instance"]["uid"] for one in told]

    async def only_one_reports() -> bool:
        reports = (await here.client.list(REPORT, here.namespace)).items
        return [one["spec"]["runtimeRef"]["name"] for one in reports] == [here.runtime]

    await here.until(only_one_reports)


async def test_a_workload_that_is_moved_leaves_nothing_behind_and_is_ready_in_its_new_place(
    space: Space, elsewhere: Space
) -> None:
    await space.deploy("shop", [CONFIG, DEPLOYMENT])
    uid = (await space.ready(INSTANCE, "shop"))["metadata"]["uid"]
    await runs_only_in(space, elsewhere, uid)
    await move(space, "shop", elsewhere)
    await runs_only_in(elsewhere, space, uid)
    await move(space, "shop", space)
    await runs_only_in(space, elsewhere, uid)


async def test_what_is_not_there_yet_after_a_move_is_no_drift_that_could_be_ignored(
    space: Space, elsewhere: Space
) -> None:
    spec = {"manifests": [CONFIG, DEPLOYMENT], "runtimeRef": {"name": space.runtime}, "driftPolicy": "Ignore"}
    await space.create(WORKLOAD, "shop", spec)
    uid = (await space.ready(INSTANCE, "shop"))["metadata"]["uid"]
    await runs_only_in(space, elsewhere, uid)
    proposal = {"definitionRef": {"name": "shop"}, "runtimeRef": {"name": elsewhere.runtime}}
    told = await previewed(space, "shop", instance=proposal)
    assert [one["action"] for one in told["resources"] if one.get("runtime") is None] == ["Create"] * 3
    await move(space, "shop", elsewhere)
    await runs_only_in(elsewhere, space, uid)
    events = (await space.client.list(EVENT, space.namespace)).items
    assert "Drifted" not in [event["reason"] for event in events]


async def test_two_clusters_run_instances_of_one_definition_side_by_side(space: Space, elsewhere: Space) -> None:
    for place, name in ((space, "here"), (elsewhere, "there")):
        await place.deploy(name, [CONFIG])
    uids = {name: (await space.ready(INSTANCE, name))["metadata"]["uid"] for name in ("here", "there")}
    for place, present, absent in ((space, "here", "there"), (elsewhere, "there", "here")):
        assert await labelled(place, uids[present], ("v1", "ConfigMap")) == ["ConfigMap/settings"]
        assert await labelled(place, uids[absent], ("v1", "ConfigMap")) == []
