"""Kinds that keep pods running."""

from __future__ import annotations

from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.core import AGE
from threeport.simulated.kinds.schemas import REPLICAS, default, open_object, pod_template, root

_READY = Column("Ready", ".status.readyReplicas", "integer")
_HISTORY = default("integer", 10)
_ROLLING = {**open_object(type=default("string", "RollingUpdate")), "default": {}}

KINDS = (
    Kind(
        kind="Deployment", plural="deployments", singular="deployment", group="apps", short_names=("deploy",),
        categories=("all",),
        schema=root(
            spec=open_object(
                replicas=REPLICAS, revisionHistoryLimit=_HISTORY, strategy=_ROLLING, template=pod_template(),
            )
        ),
        columns=(
            _READY,
            Column("Up-to-date", ".status.updatedReplicas", "integer"),
            Column("Available", ".status.availableReplicas", "integer"),
            AGE,
        ),
    ),
    Kind(
        kind="ReplicaSet", plural="replicasets", singular="replicaset", group="apps", short_names=("rs",),
        categories=("all",), schema=root(spec=open_object(replicas=REPLICAS, template=pod_template())),
        columns=(
            Column("Desired", ".spec.replicas", "integer"),
            Column("Current", ".status.replicas", "integer"),
            _READY,
            AGE,
        ),
    ),
    Kind(
        kind="StatefulSet", plural="statefulsets", singular="statefulset", group="apps", short_names=("sts",),
        categories=("all",),
        schema=root(
            spec=open_object(
                replicas=REPLICAS, revisionHistoryLimit=_HISTORY, updateStrategy=_ROLLING, template=pod_template(),
            )
        ),
        columns=(Column("Desired", ".spec.replicas", "integer"), _READY, AGE),
    ),
    Kind(
        kind="DaemonSet", plural="daemonsets", singular="daemonset", group="apps", short_names=("ds",),
        categories=("all",),
        schema=root(spec=open_object(updateStrategy=_ROLLING, template=pod_template())),
        columns=(
            Column("Desired", ".status.desiredNumberScheduled", "integer"),
            Column("Ready", ".status.numberReady", "integer"),
            AGE,
        ),
    ),
)  # fmt: skip
