"""What one test owns: a namespace of the API, and a runtime whose cluster it looks into as administrator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tests.fixtures.control_plane import until
from threeport.client import Client, Unreachable
from threeport.common.errors import ServiceUnavailable
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition, is_ready
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterError
from threeport.kube.labels import INSTANCE_LABEL
from threeport.resources.core import Event, Namespace
from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import (
    Workload,
    WorkloadDefinition,
    WorkloadDefinitionRevision,
    WorkloadInstance,
    WorkloadReport,
)

T = TypeVar("T")

WORKLOAD: Final = kind_of(Workload)
DEFINITION: Final = kind_of(WorkloadDefinition)
INSTANCE: Final = kind_of(WorkloadInstance)
REPORT: Final = kind_of(WorkloadReport)
REVISION: Final = kind_of(WorkloadDefinitionRevision)
RUNTIME: Final = kind_of(KubernetesRuntimeInstance)
RUNTIME_DEFINITION: Final = kind_of(KubernetesRuntimeDefinition)
NAMESPACE: Final = kind_of(Namespace)
EVENT: Final = kind_of(Event)

CLUSTER_KINDS: Final = (
    ("v1", "Namespace"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("agent.threeport.io/v1alpha1", "ThreeportWorkload"),
)
"""All kinds that we put into clusters in these tests, and what grows from them."""

_AWAY = (Unreachable, ServiceUnavailable, ClusterError)


@dataclass
class Team:
    """A namespace, and a runtime with the administrator's access to its cluster."""

    client: Client = field(repr=False)
    namespace: str
    runtime: str
    cluster: Cluster = field(repr=False)
    """The administrator's access, by a way that tests do not break."""

    async def apply(self, name: str, manifests: list[Any]) -> None:
        """Creates or changes a Workload on the runtime; acknowledged when this returns."""
        spec = {"manifests": manifests, "runtimeRef": {"name": self.runtime}}
        body = {"metadata": {"name": name, "namespace": self.namespace}, "spec": spec}
        await self.client.apply(body, WORKLOAD, force=True)

    async def delete(self, name: str) -> None:
        """Asks for the deletion of a Workload; acknowledged when this returns."""
        await self.client.delete(WORKLOAD, name, self.namespace)

    async def find(self, kind: Kind, name: str) -> JsonObject | None:
        """The object; None if it is gone."""
        return await self.client.find(kind, name, self.namespace if kind.namespaced else None)

    async def ready(self, name: str, kind: Kind = WORKLOAD, *, seconds: float = 120) -> JsonObject:
        """Waits until the object is Ready at its generation."""

        async def look() -> JsonObject | None:
            found = await self.find(kind, name)
            return found if found is not None and is_ready(found) else None

        return await self.until(look, seconds=seconds)

    async def says(self, kind: Kind, name: str, reason: str, *, of: str = READY, seconds: float = 60) -> str:
        """Waits until a condition gives this reason; returns its message."""

        async def look() -> str | None:
            found = condition(((await self.find(kind, name)) or {}).get("status"), of)
            return str(found["message"]) if found is not None and found["reason"] == reason else None

        return await self.until(look, seconds=seconds)

    async def gone(self, name: str, *, seconds: float = 120) -> None:
        """Waits until the Workload and all that it owns is no more."""

        async def look() -> bool:
            return all([await self.find(kind, name) is None for kind in (WORKLOAD, INSTANCE, DEFINITION)])

        await self.until(look, seconds=seconds)

    async def until(self, look: Callable[[], Awaitable[T | None]], *, seconds: float = 120) -> T:
        """The first true value of `look`, which may find the API or the cluster away meanwhile."""
        seen: list[object] = []

        async def patient() -> T | None:
            try:
                return await look()
            except _AWAY as error:
                seen[:] = [error]
                return None

        return await until(patient, seconds=seconds, why=lambda: f"{self.namespace} on {self.runtime}: {seen}")

    async def labelled(self, uid: str) -> list[JsonObject]:
        """All objects in the cluster that carry the label of an instance, and what its agent is told."""
        lists = [
            await self.cluster.list(*kind, label_selector=f"{INSTANCE_LABEL}={uid}") for kind in CLUSTER_KINDS[:-1]
        ]
        told = [one for one in await self.cluster.list(*CLUSTER_KINDS[-1]) if one["spec"]["instance"]["uid"] == uid]
        return [obj for found in (*lists, told) for obj in found]

    async def picture(self, name: str) -> dict[str, object]:
        """How a workload stands, in the API and in the cluster, without what differs from run to run."""
        instance = await self.find(INSTANCE, name)
        if instance is None:
            return {}
        uid, placed = instance["metadata"]["uid"], (instance.get("status") or {}).get("namespace")
        found: list[JsonObject] = [
            one
            for kind in (WORKLOAD, DEFINITION, INSTANCE, REPORT, REVISION)
            for one in (await self.client.list(kind, self.namespace)).items
            if kind is not REPORT or one["spec"]["instanceUid"] == uid
            if kind in (REPORT, REVISION) or one["metadata"]["name"] == name
        ]
        pictures = [_of_api(one) for one in found] + [_of_cluster(one) for one in await self.labelled(uid)]
        names = {uid: "UID", str(placed): "PLACED", self.namespace: "TEAM"}
        return _counted([_renamed(picture, names) for picture in pictures])

    async def settled_picture(self, name: str) -> dict[str, object]:
        """What two looks in a row, one second apart, see alike."""
        before: dict[str, object] = {}

        async def look() -> bool:
            nonlocal before
            await asyncio.sleep(1)
            seen, before = before, await self.picture(name)
            return bool(seen) and seen == before

        await self.until(look)
        return before

    async def revisions(self) -> dict[str, str]:
        """The revisions of everything in the API and in the cluster, leases and nodes apart."""
        found: dict[str, str] = {}
        for kind in (WORKLOAD, DEFINITION, INSTANCE, REPORT, RUNTIME, RUNTIME_DEFINITION, NAMESPACE, EVENT):
            for one in (await self.client.list(kind)).items:
                found[f"API {_address(one)}"] = one["metadata"]["resourceVersion"]
        for kind_name in CLUSTER_KINDS:
            for one in await self.cluster.list(*kind_name):
                found[f"cluster {_address(one)}"] = one["metadata"]["resourceVersion"]
        return found


def _address(obj: FrozenJson) -> str:
    metadata = obj["metadata"]
    return f"{obj['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _of_api(obj: FrozenJson) -> JsonObject:
    """Spec and status without times, digests and events."""
    status = {name: value for name, value in (obj.get("status") or {}).items() if name != "appliedHash"}
    status["conditions"] = [
        {name: value for name, value in one.items() if name != "lastTransitionTime"}
        for one in status.get("conditions") or ()
    ]
    status["inventory"] = sorted(json.dumps(item, sort_keys=True) for item in status.get("inventory") or ())
    spec = {name: value for name, value in obj["spec"].items() if name not in ("appliedHash", "events")}
    if obj["kind"] == REPORT.kind:
        spec["resources"] = sorted(
            f"{one['kind']} {one.get('namespace', '')}/{one['name']} {one['health']}" for one in spec["resources"]
        )
    # A report is made anew by another agent, and its name is derived from the uid of the instance.
    metadata = obj["metadata"]
    return {"kind": obj["kind"], "generation": None if obj["kind"] == REPORT.kind else metadata.get("generation"),
            "finalizers": metadata.get("finalizers"), "spec": spec, "status": status}  # fmt: skip


def _of_cluster(obj: FrozenJson) -> JsonObject:
    """What an object is to be, without what the cluster has chosen."""
    metadata, kind = obj["metadata"], obj["kind"]
    if kind in ("Pod", "ReplicaSet"):
        replicas = (obj.get("spec") or {}).get("replicas")
        return {"kind": kind, "phase": (obj.get("status") or {}).get("phase"), "replicas": replicas}
    content = {name: value for name, value in obj.items() if name not in ("apiVersion", "kind", "metadata", "status")}
    if kind == "ThreeportWorkload":
        told = [{**item, "digest": None} for item in content["spec"].get("resources") or ()]
        return {"kind": kind, "spec": {**content["spec"], "appliedHash": None, "resources": told}}
    if kind == "Service":
        content["spec"] = {
            name: value for name, value in content["spec"].items() if name not in ("clusterIP", "clusterIPs")
        }
    return {"kind": kind, "name": metadata["name"], "labels": metadata.get("labels"),
            "deleting": "deletionTimestamp" in metadata, **content}  # fmt: skip


def _renamed(picture: FrozenJson, names: dict[str, str]) -> str:
    text = json.dumps(picture, sort_keys=True)
    for name, placeholder in names.items():
        text = text.replace(name, placeholder)
    return text


def _counted(pictures: list[str]) -> dict[str, object]:
    """How many objects look alike: pods have no names that one could compare."""
    return {picture: pictures.count(picture) for picture in pictures}
