"""What waits for another object goes on when that is there: it is woken by it, and does not find out by asking."""

from __future__ import annotations

from datetime import datetime

from tests.fixtures.manifests import CONFIG
from tests.integration.operators.conftest import DEFINITION, INSTANCE, RUNTIME, SIMULATED_ONLY, Space
from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition
from threeport.controller.progress import WAKE_ANNOTATION

ALONE = 8.0
"""Seconds: after two attempts, nothing looks again by itself for at least as long."""


def woken_by(obj: JsonObject) -> str:
    """The uid of the object that has woken this one last."""
    return str((obj["metadata"].get("annotations") or {}).get(WAKE_ANNOTATION, "")).partition("/")[0]


async def waits_at_length(space: Space, name: str, reason: str) -> None:
    """Waits until the instance has been looked at in vain twice."""
    await space.says(INSTANCE, name, reason)

    async def has_tried_twice() -> bool:
        lines = space.plane.workload.log.read_text().splitlines()
        return any(f"{space.namespace}/{name}:" in line and "(attempt 2; again in" in line for line in lines)

    await space.until(has_tried_twice)


def seconds_until_ready(instance: JsonObject, cause: JsonObject) -> float:
    """How long after the creation of `cause` the instance became Ready, by the clock of the servers."""
    ready = condition(instance["status"], READY)
    assert ready is not None
    begun, ended = cause["metadata"]["creationTimestamp"], ready["lastTransitionTime"]
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()


@SIMULATED_ONLY
async def test_an_instance_is_woken_by_its_definition_also_when_it_names_a_revision(space: Space) -> None:
    reference = {"definitionRef": {"name": "later"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "named", {**reference, "definitionRevision": 1})
    await space.create(INSTANCE, "newest", reference)
    await waits_at_length(space, "named", "ReferenceNotFound")
    await waits_at_length(space, "newest", "ReferenceNotFound")
    definition = await space.create(DEFINITION, "later", {"manifests": [CONFIG]})
    named, newest = await space.ready(INSTANCE, "named"), await space.ready(INSTANCE, "newest")
    assert woken_by(named) == definition["metadata"]["uid"]
    assert newest["spec"]["definitionRevision"] == 1
    assert max(seconds_until_ready(one, definition) for one in (named, newest)) < ALONE


@SIMULATED_ONLY
async def test_an_instance_is_woken_by_its_runtime(space: Space) -> None:
    name = f"late-{space.namespace}"
    await space.create(DEFINITION, "pod", {"manifests": [CONFIG]})
    await space.create(INSTANCE, "early", {"definitionRef": {"name": "pod"}, "runtimeRef": {"name": name}})
    await waits_at_length(space, "early", "ReferenceNotFound")
    body = {"metadata": {"name": name}, "spec": {"definitionRef": {"name": "simulated"}}}
    runtime = await space.client.create(body, RUNTIME)
    instance = await space.ready(INSTANCE, "early")
    assert woken_by(instance) == runtime["metadata"]["uid"]
    assert seconds_until_ready(instance, runtime) < ALONE
    await space.client.delete(INSTANCE, "early", space.namespace)
    await space.gone(INSTANCE, "early")
    await space.client.delete(RUNTIME, name)
    await space.gone(RUNTIME, name)


@SIMULATED_ONLY
async def test_instances_that_are_made_together_with_their_definition_are_not_changed_by_it(space: Space) -> None:
    """Each change would be a cycle more for each of them, at every cold start. (Its becoming ready may wake them.)"""
    names = [f"begun-{number}" for number in range(12)]
    spec = {"definitionRef": {"name": "new"}, "runtimeRef": {"name": space.runtime}}
    made = [(INSTANCE, name, spec) for name in names] + [(DEFINITION, "new", {"manifests": [CONFIG]})]
    space.plane.workload.stop()
    try:
        for kind, name, given in made:
            await space.create(kind, name, given)
    finally:
        space.plane.workload.start()
    for name in names:
        instance = await space.ready(INSTANCE, name)
        assert instance["spec"].get("definitionRevision") is None
        assert instance["status"]["definitionGeneration"] == 1
        assert instance["metadata"]["generation"] == 1
