"""What is as it should be is left alone; what others change is put right; crashes in between change nothing."""

from __future__ import annotations

import pytest

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import (
    DEFINITION,
    INSTANCE,
    RUNTIME,
    SIMULATED_ONLY,
    WORKLOAD,
    Space,
)
from tests.integration.operators.test_workload import objects_of
from threeport.resources.core import Event
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport

REPORT = kind_of(WorkloadReport)
EVENT = kind_of(Event)


async def revisions(space: Space, name: str) -> dict[str, str]:
    """The revisions of everything that belongs to a workload, in the API and in the cluster."""
    found = {}
    for kind in (WORKLOAD, DEFINITION, INSTANCE, REPORT):
        for obj in (await space.client.list(kind, space.namespace)).items:
            found[f"{kind.kind}/{obj['metadata']['name']}"] = obj["metadata"]["resourceVersion"]
    runtime = await space.client.get(RUNTIME, space.runtime)
    found["runtime"] = runtime["metadata"]["resourceVersion"]
    for key, obj in (await objects_of(space, name)).items():
        found[f"cluster {key}"] = obj["metadata"]["resourceVersion"]
    return found


async def settled(space: Space, name: str) -> dict[str, str]:
    """Waits until two looks in a row, a second of work apart, see the same revisions."""
    before: dict[str, str] = {}

    async def look() -> bool:
        nonlocal before
        seen, before = before, await revisions(space, name)
        return seen == before

    await space.until(look)
    return before


async def test_a_second_reconcile_of_what_has_converged_writes_nothing(space: Space) -> None:
    await space.deploy("calm", [CONFIG, DEPLOYMENT])
    await space.ready(WORKLOAD, "calm")
    before = await settled(space, "calm")
    offset = space.plane.workload.log.stat().st_size
    space.plane.workload.stop()
    space.plane.workload.start()

    async def has_looked() -> bool:
        said = space.plane.workload.log.read_text()[offset:]
        return f"WorkloadInstance {space.namespace}/calm: nothing to apply" in said

    await space.until(has_looked)
    assert await settled(space, "calm") == before


async def test_controllers_that_crash_in_the_middle_end_where_undisturbed_ones_do(space: Space) -> None:
    manifests = [{**CONFIG, "metadata": {"name": f"settings-{number}"}} for number in range(40)]
    await space.deploy("crash", manifests)
    for _ in range(2):
        space.plane.workload.kill()
        space.plane.workload.start()
    await space.ready(WORKLOAD, "crash", seconds=90)
    assert len(await objects_of(space, "crash")) == 41
    await space.client.delete(WORKLOAD, "crash", space.namespace)
    space.plane.workload.kill()
    space.plane.workload.start()
    await space.gone(WORKLOAD, "crash", seconds=90)


async def test_what_others_changed_or_removed_is_put_right_and_told(space: Space) -> None:
    await space.deploy("drift", [CONFIG, DEPLOYMENT])
    instance = await space.ready(INSTANCE, "drift")
    found = await objects_of(space, "drift")
    namespace = instance["status"]["namespace"]
    config, deployment = found["ConfigMap/settings"], found["Deployment/web"]
    space.plane.workload.stop()
    await space.cluster.delete("v1", "ConfigMap", "settings", namespace, uid=config["metadata"]["uid"])
    await space.as_somebody_else({**DEPLOYMENT, "metadata": {"name": "web", "namespace": namespace}}, replicas=5)

    async def has_drifted() -> bool:
        now = await objects_of(space, "drift")
        return "ConfigMap/settings" not in now and now["Deployment/web"]["spec"]["replicas"] == 5

    await space.until(has_drifted)
    space.plane.workload.start()

    async def is_put_right() -> bool:
        now = await objects_of(space, "drift")
        return "ConfigMap/settings" in now and now["Deployment/web"]["spec"]["replicas"] == 2

    await space.until(is_put_right)
    assert (await objects_of(space, "drift"))["Deployment/web"]["metadata"]["uid"] == deployment["metadata"]["uid"]
    await space.ready(WORKLOAD, "drift")
    events = (await space.client.list(EVENT, space.namespace)).items
    told = [event["message"] for event in events if event["reason"] == "Drifted"]
    assert len(told) == 1
    assert "spec.replicas" in told[0]
    assert "was removed" in told[0]


@SIMULATED_ONLY
@pytest.mark.slow
async def test_what_others_change_again_soon_after_it_was_put_right_is_put_right_when_a_minute_is_over(
    space: Space,
) -> None:
    spec = {"manifests": [DEPLOYMENT], "runtimeRef": {"name": space.runtime}, "driftInterval": "1h"}
    await space.create(WORKLOAD, "again", spec)
    namespace = (await space.ready(INSTANCE, "again"))["status"]["namespace"]
    deployment = {**DEPLOYMENT, "metadata": {"name": "web", "namespace": namespace}}

    async def is_put_right() -> bool:
        return bool((await objects_of(space, "again"))["Deployment/web"]["spec"]["replicas"] == 2)

    for replicas in (3, 4, 5):
        await space.as_somebody_else(deployment, replicas=replicas)
        await space.until(is_put_right, seconds=120)
        await space.ready(INSTANCE, "again")
