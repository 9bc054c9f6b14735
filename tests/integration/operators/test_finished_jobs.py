"""Jobs that Kubernetes removes when they have ended (``ttlSecondsAfterFinished``): they are done, and run once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.manifests import CONFIG
from tests.integration.operators.conftest import DEFINITION, INSTANCE, Space
from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition, is_ready
from threeport.resources.kubernetes_runtime import AgentHeartbeat
from threeport.resources.model import kind_of

pytestmark = [pytest.mark.parametrize("shared_runtime", ["real"], indirect=True), pytest.mark.cluster]

HEARTBEAT = kind_of(AgentHeartbeat)


def job(command: str, **labels: str) -> JsonObject:
    container = {"name": "main", "image": "job:1", "command": [command]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    spec = {"backoffLimit": 0, "ttlSecondsAfterFinished": 2, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate", "labels": labels}, "spec": spec}


async def place_of(space: Space, name: str) -> str:
    """The namespace of the instance in its cluster, as soon as it is known."""

    async def look() -> str | None:
        return ((await space.get(INSTANCE, name) or {}).get("status") or {}).get("namespace")

    return await space.until(look)


async def runs(space: Space, namespace: str) -> set[str]:
    """The uids of all Jobs that have ever made a pod there, by the Events that say so; they outlive the Jobs."""
    events = await space.cluster.list("v1", "Event", label_selector="", namespace=namespace)
    return {
        event["involvedObject"]["uid"]
        for event in events
        if event["reason"] == "SuccessfulCreate" and event["involvedObject"]["kind"] == "Job"
    }


async def removed(space: Space, namespace: str) -> None:
    """Waits until a Job has run and Kubernetes has removed it."""

    async def look() -> bool:
        found = await space.cluster.get("batch/v1", "Job", "migrate", namespace)
        return found is None and bool(await runs(space, namespace))

    await space.until(look)


async def looked_at_again(space: Space, name: str, saying: str) -> None:
    """Waits until the controller, started anew, has compared the cluster."""
    offset = space.plane.workload.log.stat().st_size
    space.plane.workload.stop()
    space.plane.workload.start()

    async def look() -> bool:
        said = space.plane.workload.log.read_text()[offset:].splitlines()
        return any(f"WorkloadInstance {space.namespace}/{name}: {saying}" in line for line in said)

    await space.until(look)


async def test_a_job_that_was_removed_after_it_had_completed_is_done_and_no_drift(space: Space) -> None:
    await space.deploy("shop", [CONFIG, job("true")])
    namespace = await place_of(space, "shop")
    await removed(space, namespace)
    await looked_at_again(space, "shop", "nothing to apply")
    instance = await space.ready(INSTANCE, "shop")
    assert instance["status"]["readyResources"] == "3/3"
    assert len(await runs(space, namespace)) == 1
    changed = {"spec": {"manifests": [CONFIG, job("true", release="2")]}}
    await space.client.patch(DEFINITION, "shop", space.namespace, changed)

    async def has_run_twice() -> bool:
        return len(await runs(space, namespace)) == 2

    await space.until(has_run_twice)


async def test_a_job_that_has_failed_stays_so_when_it_is_removed_and_the_agent_starts_anew(space: Space) -> None:
    await space.deploy("broken", [job("false")])
    namespace = await place_of(space, "broken")
    await removed(space, namespace)
    said = await space.says(INSTANCE, "broken", "Down")
    assert "BackoffLimitExceeded" in said
    await looked_at_again(space, "broken", "nothing to apply")
    agents = space.plane.agents
    (former,) = [one for path, (_, one) in agents.running.items() if path.stem == space.runtime]
    former.terminate()
    heartbeat = await _heartbeat(space)

    async def is_heard_again() -> bool:
        return await _heartbeat(space) != heartbeat

    await space.until(is_heard_again)
    assert await space.says(INSTANCE, "broken", "Down") == said
    assert len(await runs(space, namespace)) == 1


async def test_a_job_does_not_run_again_each_time_that_the_rest_is_tried_again(space: Space) -> None:
    unknown = {"apiVersion": "nowhere.example.com/v1", "kind": "Nothing", "metadata": {"name": "x"}}
    await space.deploy("half", [job("true"), unknown])
    namespace = await place_of(space, "half")
    await removed(space, namespace)
    await looked_at_again(space, "half", "")
    instance = await space.get(INSTANCE, "half")
    assert instance is not None
    assert not is_ready(instance)
    assert "Nothing" in str((condition(instance["status"], READY) or {}).get("message"))
    assert len(await runs(space, namespace)) == 1


async def _heartbeat(space: Space) -> Any:
    return (await space.client.get(HEARTBEAT, space.runtime))["spec"]["renewTime"]
