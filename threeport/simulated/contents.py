"""What a new simulated cluster holds before anybody has put anything in."""

from __future__ import annotations

from typing import Final

from threeport.common.types import JsonObject
from threeport.krm.metadata import timestamp
from threeport.krm.namespaces import begin
from threeport.simulated.controllers.kubelet import NODE
from threeport.simulated.controllers.volumes import STORAGE_CLASS
from threeport.simulated.world import SIMULATED_LABEL, World

VERSION: Final = "v1.34.0+simulated"
NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")

_RBAC: Final = "rbac.authorization.k8s.io/v1"
_READ: Final = ["get", "list", "watch"]


async def fill(world: World) -> None:
    """Creates what is missing."""
    for obj in [*_namespaces(), _node(), _storage_class(), *_roles()]:
        kind = world.catalog.by_kind(obj["apiVersion"], obj["kind"])
        if kind is not None and world.get(kind.resource, "", obj["metadata"]["name"]) is None:
            await world.create(obj)


def _namespaces() -> list[JsonObject]:
    made = []
    for name in NAMESPACES:
        metadata = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
        namespace: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        begin(namespace)
        made.append(namespace)
    return made


def _node() -> JsonObject:
    ready = {"type": "Ready", "status": "True", "reason": "Simulated", "message": "no kubelet runs here"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE, "labels": {SIMULATED_LABEL: "true", "kubernetes.io/hostname": NODE}},
        "spec": {},
        "status": {
            "capacity": {"cpu": "64", "memory": "256Gi", "pods": "10000"},
            "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "10000"},
            "conditions": [{**ready, "lastTransitionTime": timestamp()}],
            "nodeInfo": {"kubeletVersion": VERSION, "osImage": "simulated", "containerRuntimeVersion": "simulated"},
        },
    }


def _storage_class() -> JsonObject:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": default, "labels": {SIMULATED_LABEL: "true"}},
        "provisioner": "simulated",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def _roles() -> list[JsonObject]:
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    return [
        {"apiVersion": _RBAC, "kind": "ClusterRole", "metadata": {"name": "cluster-admin"}, "rules": everything},
        {
            "apiVersion": _RBAC,
            "kind": "ClusterRole",
            "metadata": {"name": "view"},
            "rules": [{"apiGroups": ["", "apps", "batch", "networking.k8s.io"], "resources": ["*"], "verbs": _READ}],
        },
    ]
