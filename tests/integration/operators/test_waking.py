"""What waits for another object goes on when that is there: it is woken by it, and does not find out by asking."""

from __future__ import annotations

from tests.fixtures.manifests import CONFIG, DEPLOYMENT
from tests.integration.operators.conftest import DEFINITION, INSTANCE, RUNTIME, SIMULATED_ONLY, WORKLOAD, Space
from tests.integration.operators.test_replacement import selecting
from tests.integration.operators.test_workload import objects_of
from threeport.common.types import JsonObject
from threeport.controller.progress import WAKE_ANNOTATION


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


@SIMULATED_ONLY
async def test_a_name_that_is_taken_is_said_and_used_when_it_is_free(space: Space) -> None:
    definition = await space.create(DEFINITION, "taken", {"manifests": [CONFIG]})
    instance = {"definitionRef": {"name": "taken"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "taken", instance)
    await space.ready(INSTANCE, "taken")
    await space.deploy("taken", [CONFIG])
    assert "was not made by this workload" in await space.says(WORKLOAD, "taken", "NameTaken")
    await space.client.delete(INSTANCE, "taken", space.namespace)
    await space.gone(INSTANCE, "taken")
    await space.client.delete(DEFINITION, "taken", space.namespace)
    workload = await space.ready(WORKLOAD, "taken")
    assert woken_by(workload) == definition["metadata"]["uid"]


@SIMULATED_ONLY
async def test_what_the_parts_of_a_workload_were_made_by_hand_is_what_the_workload_says_again(space: Space) -> None:
    await space.deploy("shop", [CONFIG])
    await space.ready(WORKLOAD, "shop")
    await space.client.patch(INSTANCE, "shop", space.namespace, {"spec": {"driftPolicy": "Ignore"}})
    other = {"spec": {"manifests": [{**CONFIG, "data": {"colour": "blue"}}]}}
    await space.client.patch(DEFINITION, "shop", space.namespace, other)

    async def is_restored() -> bool:
        definition, instance = await space.get(DEFINITION, "shop"), await space.get(INSTANCE, "shop")
        assert definition is not None
        assert instance is not None
        is_red = definition["spec"]["manifests"][0]["data"] == {"colour": "red"}
        return is_red and instance["spec"]["driftPolicy"] == "Correct"

    await space.until(is_restored)
    await space.ready(WORKLOAD, "shop")
    assert (await objects_of(space, "shop"))["ConfigMap/settings"]["data"] == {"colour": "red"}


@SIMULATED_ONLY
async def test_a_workload_goes_when_nobody_uses_its_definition_any_more(space: Space) -> None:
    await space.deploy("shop", [CONFIG])
    await space.ready(WORKLOAD, "shop")
    other = {"definitionRef": {"name": "shop"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "other", other)
    await space.ready(INSTANCE, "other")
    await space.client.delete(WORKLOAD, "shop", space.namespace)
    assert "other" in await space.says(WORKLOAD, "shop", "InUse")
    await space.client.delete(INSTANCE, "other", space.namespace)
    await space.gone(WORKLOAD, "shop", seconds=20)


@SIMULATED_ONLY
async def test_what_a_person_has_to_advance_goes_on_with_what_the_definition_says_now(space: Space) -> None:
    """Where an instance has not begun it takes the newest revision, and what the definition allows holds for all."""
    manual = {"rollout": {"strategy": "Manual"}}
    first = await space.create(DEFINITION, "first", {"manifests": [CONFIG], **manual})
    paint = [{"target": {"kind": "Deployment"}, "patch": {"spec": {"replicas": 1}}}]
    spec = {"definitionRef": {"name": "first"}, "runtimeRef": {"name": space.runtime}}
    await space.create(INSTANCE, "early", {**spec, "patches": paint})
    await space.says(INSTANCE, "early", "InvalidPatch")
    await space.client.patch(DEFINITION, "first", space.namespace, {"spec": {"manifests": [CONFIG, DEPLOYMENT]}})
    early = await space.ready(INSTANCE, "early")
    assert early["status"]["definitionGeneration"] == 2
    assert woken_by(early) == first["metadata"]["uid"]
    await space.client.patch(DEFINITION, "first", space.namespace, {"spec": {"manifests": [CONFIG, selecting("x")]}})
    await space.client.patch(INSTANCE, "early", space.namespace, {"spec": {"definitionRevision": 3}})
    await space.says(INSTANCE, "early", "FieldImmutable")
    await space.client.patch(DEFINITION, "first", space.namespace, {"spec": {"onImmutableChange": "Replace"}})
    replaced = await space.ready(INSTANCE, "early")
    assert replaced["spec"]["definitionRevision"] == 3


@SIMULATED_ONLY
async def test_a_workload_says_what_it_waits_for_where_a_person_has_to_advance_it(space: Space) -> None:
    await space.deploy("shop", [CONFIG])
    await space.ready(WORKLOAD, "shop")
    await space.client.patch(DEFINITION, "shop", space.namespace, {"spec": {"rollout": {"strategy": "Manual"}}})
    await space.ready(WORKLOAD, "shop")
    blue = {"spec": {"manifests": [{**CONFIG, "data": {"colour": "blue"}}]}}
    await space.client.patch(WORKLOAD, "shop", space.namespace, blue)
    message = await space.says(WORKLOAD, "shop", "RolloutManual")
    assert "tptctl rollout advance workloadinstance/shop" in message
    await space.client.patch(INSTANCE, "shop", space.namespace, {"spec": {"definitionRevision": 3}})
    await space.ready(WORKLOAD, "shop")
