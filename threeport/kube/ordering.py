"""In which order objects of an application are applied: what others need comes first. Deletion goes backwards.

The order is that of Helm (``pkg/release/util/kind_sorter.go``), with kinds of other groups, custom resources, after
the workloads, and webhooks at the very end, since a webhook without its server refuses everything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from threeport.common.types import FrozenJson

_ORDER: Final = (
    "Namespace", "CustomResourceDefinition", "PriorityClass", "NetworkPolicy", "ResourceQuota", "LimitRange",
    "PodDisruptionBudget", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Secret",
    "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim", "Service", "DaemonSet", "Pod",
    "ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob",
    "IngressClass", "Ingress", "APIService",
)  # fmt: skip
_LAST: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANKS: Final = {kind: rank for rank, kind in enumerate(_ORDER)} | {kind: len(_ORDER) + 1 for kind in _LAST}

OWNS_NOTHING: Final = frozenset({
    "ClusterRole", "ClusterRoleBinding", "ConfigMap", "LimitRange", "NetworkPolicy", "PersistentVolumeClaim",
    "PodDisruptionBudget", "PriorityClass", "ResourceQuota", "Role", "RoleBinding", "Secret", "ServiceAccount",
    "Service", "StorageClass",
})  # fmt: skip
"""Kinds whose objects run nothing: deleting them in the foreground would only keep the garbage collector busy."""

M = TypeVar("M", bound=FrozenJson)


def rank_of(kind: str) -> int:
    """The place of a kind in the order; kinds with the same rank may go together."""
    return _RANKS.get(kind, len(_ORDER))


def in_order(manifests: Iterable[M]) -> list[M]:
    """As they are applied. Objects of one kind keep the order in which they were given."""
    return sorted(manifests, key=lambda manifest: rank_of(manifest["kind"]))


def in_reverse(manifests: Iterable[M]) -> list[M]:
    """As they are deleted."""
    return in_order(manifests)[::-1]
