"""What `tptctl delete` tells of what it deletes."""

from __future__ import annotations

from threeport.cli.commands.delete import made_again_by
from threeport.cli.ordering import Target
from threeport.common.types import JsonObject
from threeport.resources.kind import Kind

INSTANCE = Kind(kind="WorkloadInstance", plural="workloadinstances", singular="workloadinstance", group="threeport.io")
WORKLOAD = Kind(kind="Workload", plural="workloads", singular="workload", group="threeport.io")


def owned(owner: str, *, controller: bool = True, namespace: str = "default") -> Target:
    reference = {"kind": owner, "name": "shop", "uid": "w", "controller": controller}
    metadata: JsonObject = {"name": "shop", "namespace": namespace, "uid": "i", "ownerReferences": [reference]}
    return Target(INSTANCE, {"metadata": metadata})


def test_what_a_workload_makes_again_is_said_with_the_way_to_be_rid_of_it() -> None:
    found = owned("Workload", namespace="team")
    assert made_again_by(found, [found]) == (
        "workloadinstance/shop belongs to workload/shop, which makes it again. To be rid of it: "
        "tptctl delete workload/shop -n team"
    )


def test_what_goes_with_its_workload_or_belongs_to_nobody_goes_for_good() -> None:
    workload = Target(WORKLOAD, {"metadata": {"name": "shop", "namespace": "default", "uid": "w"}})
    assert made_again_by(owned("Workload"), [owned("Workload"), workload]) is None
    assert made_again_by(owned("Workload", controller=False), []) is None
    assert made_again_by(owned("WorkloadDefinition"), []) is None
    assert made_again_by(workload, [workload]) is None
