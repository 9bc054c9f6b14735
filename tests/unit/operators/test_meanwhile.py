"""What a cycle makes of changes of its own instance, and of others, between what it read and what it writes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import pytest

from operators.workload.applying import Applier
from operators.workload.health import roll_up
from operators.workload.instance import _carry_out, _expect_unchanged, _leave_former_place, _Outdated, _persist_intent
from operators.workload.inventory import id_of
from operators.workload.placement import Place
from operators.workload.plan import Plan
from operators.workload.rendering import Desired
from threeport.client import Client
from threeport.common.delays import retry_delay
from threeport.common.errors import Conflict, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.controller import Controller
from threeport.controller.cycle import Waiting
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterBusy, ClusterError
from threeport.kube.labels import INSTANCE_LABEL

ITEM: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "n", "name": "settings"}
JOB: JsonObject = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "migrate", "namespace": "n", "annotations": {"threeport.io/applied": "d"}},
    "spec": {"ttlSecondsAfterFinished": 0},
}
WIDGET: JsonObject = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}}
STAYS: JsonObject = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "n", "uid": "s", "labels": {INSTANCE_LABEL: "u"}},
}
DESIRED = Desired(manifests=[], unknown=[], namespace=None, digest="h2")
THERE = Place("there", cast(Cluster, None))
"""A cluster that is not asked anything."""


class Objects:
    """An instance and its definition, written as in the API: on condition of the version."""

    def __init__(self, *, reason: str = "Healthy") -> None:
        self.definition: JsonObject = {"metadata": {"name": "d", "namespace": "n", "uid": "d", "generation": 2}}
        self.instance: JsonObject = {
            "metadata": {"name": "i", "namespace": "n", "uid": "u", "generation": 2, "resourceVersion": "1"},
            "spec": {"definitionRef": {"name": "d"}, "runtimeRef": {"name": "there"}},
            "status": {
                "runtime": "here",
                "inventory": [ITEM],
                "appliedHash": "h1",
                "definitionGeneration": 1,
                "conditions": [{"type": "Ready", "status": "True", "reason": reason, "message": ""}],
            },
        }
        self.controller = Controller(name="workload", client=cast(Client, self))

    async def find(self, *_: object) -> JsonObject | None:
        return deepcopy(self.instance)

    async def get(self, kind: Any, name: str, *_: object, **__: object) -> JsonObject:
        if name == "d":
            return self.definition
        raise NotFound(f"{name} not found")

    async def patch(self, _: Any, name: str, namespace: str, change: FrozenJson, *, subresource: str) -> JsonObject:
        metadata = self.instance["metadata"]
        if change["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise Conflict("the object has been modified")
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        self.instance[subresource].update(change[subresource])
        return deepcopy(self.instance)


class Busy:
    """A cluster that does not serve one kind yet, and in which nothing goes that is deleted."""

    async def get(self, *_: object) -> None:
        return None

    async def apply(self, manifest: FrozenJson) -> JsonObject:
        if manifest["kind"] == "Widget":
            raise ClusterBusy("not yet", 1)
        return dict(manifest)

    async def list(self, *_: object, **__: object) -> list[JsonObject]:
        return [STAYS]

    async def delete(self, *_: object, **__: object) -> None:
        return None


@pytest.mark.parametrize(("apply", "prune"), [([JOB, WIDGET], []), ([JOB], [ITEM])])
async def test_a_job_that_ran_is_noted_whatever_the_cycle_waits_for_afterwards(
    apply: list[JsonObject], prune: list[JsonObject]
) -> None:
    objects = Objects()
    cluster = cast(Cluster, Busy())
    applier = Applier(cluster=cluster, live={id_of(ITEM): STAYS}, uid="u", check_lease=lambda: None)
    with pytest.raises((Waiting, ClusterError)):
        await _carry_out(objects.controller, objects.instance, applier, Plan(apply=apply, prune=prune), DESIRED)
    assert [one.get("applied") for one in objects.instance["status"]["inventory"]] == ["d", None]


async def test_an_instance_that_has_left_its_former_place_goes_on_in_the_same_cycle() -> None:
    objects = Objects()
    left = await _leave_former_place(objects.controller, deepcopy(objects.instance), THERE)
    assert left is not None
    intended = await _persist_intent(objects.controller, left, THERE, DESIRED, 1)
    assert intended is not None
    assert intended["status"]["runtime"] == "there"


async def test_an_instance_that_was_told_something_else_while_it_left_begins_anew() -> None:
    objects = Objects()
    known = deepcopy(objects.instance)
    objects.instance["metadata"] |= {"generation": 3, "resourceVersion": "2"}
    with pytest.raises(_Outdated):
        await _leave_former_place(objects.controller, known, THERE)
    assert objects.instance["status"]["inventory"] == [ITEM]


async def test_what_changed_meanwhile_is_looked_at_soon_however_long_the_instance_has_waited_before() -> None:
    objects = Objects()
    known = {"metadata": {"uid": "d", "generation": 1}}
    with pytest.raises(Waiting) as raised:
        await _expect_unchanged(objects.controller, objects.instance, known)
    waiting = raised.value
    assert retry_delay(20, first=waiting.first, longest=waiting.longest) < 6


async def test_that_the_report_of_its_former_place_goes_says_nothing_of_an_instance() -> None:
    objects = Objects()
    report = {"spec": {"instanceUid": "u", "appliedHash": "h1", "runtimeRef": {"name": "former"}}}
    await roll_up(objects.controller, objects.instance, report, is_gone=True)
    assert objects.instance["metadata"]["resourceVersion"] == "1"
