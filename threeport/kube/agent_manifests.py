"""What the agent needs in its cluster: the kind of object that it follows, and an account that may only look.

The account reads the kinds that applications are made of, but no Secret. For kinds of other groups (custom resources
of an application) a right to read that group is added when an application brings one: `read_group_manifests`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from threeport.common.types import JsonObject
from threeport.kube.threeport_workload import AGENT_GROUP, crd_manifest

AGENT_NAMESPACE: Final = "threeport-system"
AGENT_ACCOUNT: Final = "threeport-agent"
AGENT_LABELS: Final = {"app.kubernetes.io/managed-by": "threeport", "app.kubernetes.io/name": "threeport-agent"}

_RBAC: Final = "rbac.authorization.k8s.io/v1"
_READ: Final = ["get", "list", "watch"]
_CORE: Final = [
    "configmaps", "endpoints", "events", "limitranges", "namespaces", "nodes", "persistentvolumeclaims",
    "persistentvolumes", "pods", "podtemplates", "replicationcontrollers", "resourcequotas", "serviceaccounts",
    "services",
]  # fmt: skip
_GROUPS: Final = (
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling", "batch",
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "networking.k8s.io", "node.k8s.io", "policy",
    "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io", AGENT_GROUP,
)  # fmt: skip


def account_manifests() -> list[JsonObject]:
    """The CustomResourceDefinition of ThreeportWorkload, the namespace, and the account with its rights, in order."""
    rules = [
        {"apiGroups": [""], "resources": _CORE, "verbs": _READ},
        {"apiGroups": list(_GROUPS), "resources": ["*"], "verbs": _READ},
    ]
    namespace = _metadata(AGENT_NAMESPACE)
    namespace["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace},
        crd_manifest(),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(AGENT_ACCOUNT, AGENT_NAMESPACE)},
        *_right(AGENT_ACCOUNT, rules),
    ]


def read_group_manifests(groups: Iterable[str]) -> list[JsonObject]:
    """The right to read API groups that `account_manifests` does not cover, one role and binding per group."""
    return [
        manifest
        for group in sorted(set(groups) - set(_GROUPS) - {""})
        for manifest in _right(f"{AGENT_ACCOUNT}-{group}", [{"apiGroups": [group], "resources": ["*"], "verbs": _READ}])
    ]


def token_request() -> JsonObject:
    """What to post to ``serviceaccounts/threeport-agent/token`` for a token of the account, good for a year.

    Clusters may shorten it; the answer says until when it lasts.
    """
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"name": AGENT_ACCOUNT, "namespace": AGENT_NAMESPACE},
        "spec": {"expirationSeconds": 365 * 24 * 3600},
    }


def _metadata(name: str, namespace: str | None = None) -> JsonObject:
    metadata: JsonObject = {"name": name, "labels": dict(AGENT_LABELS)}
    return {**metadata, "namespace": namespace} if namespace else metadata


def _right(name: str, rules: list[JsonObject]) -> list[JsonObject]:
    role = {"apiVersion": _RBAC, "kind": "ClusterRole", "metadata": _metadata(name), "rules": rules}
    binding = {
        "apiVersion": _RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": _metadata(name),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": AGENT_ACCOUNT, "namespace": AGENT_NAMESPACE}],
    }
    return [role, binding]
