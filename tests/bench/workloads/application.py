"""What is deployed: one definition of four objects, and instances of it on runtimes by turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from threeport.common.types import JsonObject
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadDefinition, WorkloadInstance

NAMESPACE: Final = "default"
BARE, SMALL, LARGE = "bare", "small", "large"
"""Names of the definitions: without pods, with one pod, and with many."""

INSTANCE: Final = kind_of(WorkloadInstance)
DEFINITION: Final = kind_of(WorkloadDefinition)


def manifests(replicas: int) -> list[JsonObject]:
    """The four objects of an instance."""
    labels = {"app": "web"}
    pod = {"serviceAccountName": "web", "containers": [{"name": "web", "image": "nginx:1.27"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "red"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
         "spec": {"selector": labels, "ports": [{"port": 80}]}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
    ]  # fmt: skip


def names_of(label: str, count: int) -> list[str]:
    """Names of instances of one phase."""
    return [f"{label}-{number:04}" for number in range(count)]


def instance(name: str, runtime: str, definition: str = SMALL) -> JsonObject:
    """An instance on a runtime."""
    return {
        "apiVersion": INSTANCE.api_version,
        "kind": INSTANCE.kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"definitionRef": {"name": definition}, "runtimeRef": {"name": runtime}},
    }


def instances(label: str, count: int, runtimes: Sequence[str], definition: str = SMALL) -> list[JsonObject]:
    """Instances of one phase, on the runtimes by turns."""
    return [instance(name, runtimes[n % len(runtimes)], definition) for n, name in enumerate(names_of(label, count))]
