"""Labels by which everything that a WorkloadInstance put into a cluster is found again, pods included."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Final

from threeport.common.types import FrozenJson, JsonObject, Labels

INSTANCE_LABEL: Final = "threeport.io/workload-instance"
"""Its value is the uid of the WorkloadInstance; agents watch by it, and nothing without it is ever deleted."""

INSTANCE_NAME_LABEL: Final = "app.kubernetes.io/instance"
"""Its value is the name of the WorkloadInstance, for people; manifests may bring another."""

APPLIED_ANNOTATION: Final = "threeport.io/applied"
"""Digest of the manifest that was applied last: equal means that nothing has to be written."""

_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where kinds keep the template of their pods."""


def labels_of(*, definition: str, instance: str, uid: str) -> Labels:
    """The labels of one instance (Kubernetes, "Recommended Labels"). Values longer than 63 characters are cut."""
    return {
        "app.kubernetes.io/managed-by": "threeport",
        "app.kubernetes.io/name": _value(definition),
        INSTANCE_NAME_LABEL: _value(instance),
        INSTANCE_LABEL: uid,
    }


def labelled(manifest: FrozenJson, labels: Labels) -> JsonObject:
    """A copy of the manifest with the labels on it and on the template of its pods.

    Labels of `app.kubernetes.io` that the manifest brings itself are kept, since its selectors may use them.
    """
    copy = deepcopy(dict(manifest))
    _label(copy, labels)
    path = _TEMPLATES.get(copy["kind"])
    template = copy
    for step in path or ():
        template = template.get(step) if isinstance(template, dict) else None  # type: ignore[assignment]
    if path and isinstance(template, dict):
        _label(template, labels)
    return copy


def _label(holder: JsonObject, labels: Labels) -> None:
    metadata = holder.get("metadata") or {}
    own = metadata.get("labels") or {}
    holder["metadata"] = {**metadata, "labels": {**labels, **own, INSTANCE_LABEL: labels[INSTANCE_LABEL]}}


def _value(text: str) -> str:
    return text[:63].rstrip("-._")
