"""Labels by which everything that a WorkloadInstance put into a cluster is found again, pods included."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Final

from threeport.common.types import FrozenJson, JsonObject, Labels

INSTANCE_LABEL: Final = "threeport.io/workload-instance"
"""Its value is the uid of the WorkloadInstance; agents watch by it, and nothing without it is ever deleted."""

RUNTIME_LABEL: Final = "threeport.io/runtime"
"""Its value is the name of the KubernetesRuntimeInstance. Several may be one cluster, each with an agent of its own,
which asks only for what its runtime has put there. Reports in the Threeport API carry it, too."""

INSTANCE_NAME_LABEL: Final = "app.kubernetes.io/instance"
"""Its value is the name of the WorkloadInstance, for people; manifests may bring another."""

_OURS: Final = (INSTANCE_LABEL, RUNTIME_LABEL)
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"

APPLIED_ANNOTATION: Final = "threeport.io/applied"
"""Digest of the manifest that was applied last: equal means that nothing has to be written."""

_TEMPLATE: Final = ("spec", "template")
_JOB_TEMPLATE: Final = ("spec", "jobTemplate")
_TEMPLATES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "Deployment": (_TEMPLATE,),
    "StatefulSet": (_TEMPLATE,),
    "DaemonSet": (_TEMPLATE,),
    "ReplicaSet": (_TEMPLATE,),
    "ReplicationController": (_TEMPLATE,),
    "Job": (_TEMPLATE,),
    "CronJob": (_JOB_TEMPLATE, (*_JOB_TEMPLATE, *_TEMPLATE)),
}
"""Where kinds keep the templates of their pods, and of the Jobs that stand between."""


def labels_of(*, definition: str, instance: str, uid: str, runtime: str) -> Labels:
    """The labels of one instance (Kubernetes, "Recommended Labels"). Values longer than 63 characters are cut."""
    return {
        _MANAGED_BY: "threeport",
        "app.kubernetes.io/name": _value(definition),
        INSTANCE_NAME_LABEL: _value(instance),
        INSTANCE_LABEL: uid,
        RUNTIME_LABEL: runtime,
    }


def selector_of(runtime: str) -> str:
    """Selects what was put into a cluster as this runtime."""
    return f"{RUNTIME_LABEL}={runtime}"


def labels_that_are_ours(labels: Labels) -> list[str]:
    """Which of the labels of an object say that it belongs to an instance. Beside those of `threeport.io` these are
    labels that everybody uses: ours only as long as the object is said to be managed by us."""
    recommended = labels_of(definition="", instance="", uid="", runtime="")
    is_managed = labels.get(_MANAGED_BY) == recommended[_MANAGED_BY]
    return [name for name in recommended if name in labels and (is_managed or name in _OURS)]


def labelled(manifest: FrozenJson, labels: Labels) -> JsonObject:
    """A copy of the manifest with the labels on it and on the templates of its pods and Jobs.

    Labels of `app.kubernetes.io` that the manifest brings itself are kept, since its selectors may use them.
    """
    copy = deepcopy(dict(manifest))
    _label(copy, labels)
    for path in _TEMPLATES.get(copy["kind"], ()):
        template = copy
        for step in path:
            template = template.get(step) if isinstance(template, dict) else None  # type: ignore[assignment]
        if isinstance(template, dict):
            _label(template, labels)
    return copy


def _label(holder: JsonObject, labels: Labels) -> None:
    metadata = holder.get("metadata") or {}
    own = metadata.get("labels") or {}
    holder["metadata"] = {**metadata, "labels": {**labels, **own, **{name: labels[name] for name in _OURS}}}


def _value(text: str) -> str:
    return text[:63].rstrip("-._")
