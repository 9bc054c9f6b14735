"""Each sample through its life: applied, healthy, changed, changed back, deleted; on a simulated and on a real cluster.

The real cluster is the default runtime of a control plane that was started with it (``tptctl up --kubeconfig``).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import SAMPLES, Eventually, Place, Tptctl
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import Cluster

pytestmark = pytest.mark.slow

SECONDS = "180s"
ADDED: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "added"}, "data": {"key": "value"}}
"""The object that each sample gets in addition."""


def replicas_and_image(documents: Sequence[JsonObject]) -> None:
    """Scales the Deployments and gives them another image."""
    for document in documents:
        if document["kind"] == "Deployment":
            document["spec"]["replicas"] += 1
            document["spec"]["template"]["spec"]["containers"][0]["image"] += "-changed"


def image_of_pod(documents: Sequence[JsonObject]) -> None:
    """Gives the Pod another image, which Kubernetes allows in place."""
    documents[0]["spec"]["containers"][0]["image"] = "nginx:1.28"


def brightness(documents: Sequence[JsonObject]) -> None:
    """Changes the custom resource."""
    next(each for each in documents if each["kind"] == "Lamp")["spec"]["brightness"] = 10


def parallelism(documents: Sequence[JsonObject]) -> None:
    """Changes what can be changed of a Job."""
    documents[0]["spec"]["parallelism"] = 3


@dataclass(frozen=True)
class Change:
    """What changes of a sample: fields of objects (the same objects before and after), and an object that goes."""

    instances: tuple[str, ...]
    edit: Callable[[Sequence[JsonObject]], None]
    removed: str = ""
    namespace: str | None = None
    """The namespace that the manifests name, if they bring one."""

    def of(self, manifests: str) -> list[JsonObject]:
        """The documents of a sample after the change, with a ConfigMap more."""
        documents: list[JsonObject] = list(yaml.safe_load_all(manifests))
        self.edit(documents)
        place = {"namespace": self.namespace} if self.namespace else {}
        added = {**ADDED, "metadata": {**ADDED["metadata"], **place}}
        kept = [each for each in documents if f"{each['kind']}/{each['metadata']['name']}" != self.removed]
        return [*kept, added]


CHANGES = {
    "wordpress": Change(("wordpress",), replicas_and_image, removed="Service/wordpress"),
    "pod-two-instances": Change(("echo-blue", "echo-green"), image_of_pod),
    "own-namespace": Change(("guestbook",), replicas_and_image, removed="Service/guestbook", namespace="guestbook"),
    "custom-resource": Change(("lamps",), brightness),
    "job": Change(("pi",), parallelism),
    "many-objects": Change(("many-objects",), replicas_and_image, removed="Service/part-017"),
}

Inventory = dict[str, JsonObject]
"""What instances say that they have put into the cluster, as ``namespace/Kind/name``."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CHANGES)
async def test_a_sample_becomes_ready_follows_changes_and_leaves_nothing_behind(
    place: Place, name: str, tmp_path: Path, eventually: Eventually
) -> None:
    tptctl, change, directory = place.tptctl, CHANGES[name], tmp_path / name
    shutil.copytree(SAMPLES / name, directory)
    manifests = directory / "manifests.yaml"
    original = manifests.read_text()

    created = apply(tptctl, directory, "created")
    before = inventory(tptctl, change)
    again = tptctl.ok("apply", "-f", str(directory)).splitlines()
    assert all(line.endswith(" unchanged") for line in again)

    manifests.write_text(yaml.safe_dump_all(change.of(original)))
    apply(tptctl, directory, "configured")
    expected = expected_after(before, change)
    eventually(lambda: inventory(tptctl, change).keys() == expected)
    tptctl.ok("wait", "-f", str(directory), "--timeout", SECONDS)
    after = inventory(tptctl, change)
    live = await objects_in_cluster(place, {**before, **after})
    assert live.keys() == after.keys()
    for wanted in change.of(original):
        key = f"{wanted['kind']}/{wanted['metadata']['name']}"
        assert all(holds(obj, wanted) for name, obj in live.items() if name.endswith(f"/{key}")), key

    manifests.write_text(original)
    apply(tptctl, directory, "configured")
    eventually(lambda: inventory(tptctl, change).keys() == before.keys())

    deleted = tptctl.ok("delete", "-f", str(directory))
    assert sorted(line.split()[0] for line in deleted.splitlines()) == created
    assert tptctl.ok("get", "workloads,workloaddefinitions,workloadinstances", "-A", "-o", "name") == ""
    eventually(lambda: tptctl.ok("get", "workloadreports", "-A", "-o", "name") == "")
    assert await objects_in_cluster(place, {**before, **after}) == {}


def apply(tptctl: Tptctl, directory: Path, outcome: str) -> list[str]:
    """Applies a sample and waits until it is Ready. Returns what was applied; at least one has this outcome."""
    lines = tptctl.ok("apply", "-f", str(directory)).splitlines()
    assert any(line.endswith(f" {outcome}") for line in lines), lines
    tptctl.ok("wait", "-f", str(directory), "--timeout", SECONDS)
    return sorted(line.split()[0] for line in lines)


def inventory(tptctl: Tptctl, change: Change) -> Inventory:
    """The inventories of all instances of a sample."""
    instances = [tptctl.object("workloadinstance", name) for name in change.instances]
    items = [item for instance in instances for item in instance["status"]["inventory"]]  # type: ignore[index]
    return {f"{item.get('namespace', '')}/{item['kind']}/{item['name']}": item for item in items}


def expected_after(before: Inventory, change: Change) -> set[str]:
    """The keys that the inventory has to have after the change: one object more, and one less where one goes."""
    gone = {key for key in before if change.removed and key.endswith(f"/{change.removed}")}
    assert len(gone) == (len(change.instances) if change.removed else 0)
    namespaces = {key.rpartition("/")[2] for key in before if "/Namespace/" in key}
    assert len(namespaces) == len(change.instances)
    return (set(before) - gone) | {f"{namespace}/ConfigMap/added" for namespace in namespaces}


async def objects_in_cluster(place: Place, items: Inventory) -> Inventory:
    """Those of the objects that are really there."""
    cluster = Cluster(place.access)
    try:
        found = {
            key: await cluster.get(item["apiVersion"], item["kind"], item["name"], item.get("namespace"))
            for key, item in items.items()
        }
    finally:
        await cluster.close()
    return {key: obj for key, obj in found.items() if obj is not None}


def holds(live: FrozenJson, wanted: FrozenJson) -> bool:
    """Whether the object has all that the manifest says, whatever else it has; what is write-only is left out."""
    return all(_equal(live.get(field), value) for field, value in wanted.items() if field != "stringData")


def _equal(live: object, wanted: object) -> bool:
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(_equal(live.get(field), value) for field, value in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list):
        return len(live) == len(wanted) and all(map(_equal, live, wanted))
    return live == wanted
