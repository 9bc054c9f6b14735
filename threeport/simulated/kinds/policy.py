"""What keeps pods in number."""

from __future__ import annotations

from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.core import AGE
from threeport.simulated.kinds.schemas import root

KINDS = (
    Kind(
        kind="PodDisruptionBudget", plural="poddisruptionbudgets", singular="poddisruptionbudget", group="policy",
        short_names=("pdb",), schema=root(),
        columns=(
            Column("Min Available", ".spec.minAvailable"),
            Column("Max Unavailable", ".spec.maxUnavailable"),
            AGE,
        ),
    ),
    Kind(
        kind="HorizontalPodAutoscaler", plural="horizontalpodautoscalers", singular="horizontalpodautoscaler",
        group="autoscaling", version="v2", short_names=("hpa",), categories=("all",), schema=root(),
        columns=(
            Column("Reference", ".spec.scaleTargetRef.name"),
            Column("MinPods", ".spec.minReplicas", "integer"),
            Column("MaxPods", ".spec.maxReplicas", "integer"),
            AGE,
        ),
    ),
    Kind(
        kind="PriorityClass", plural="priorityclasses", singular="priorityclass", group="scheduling.k8s.io",
        namespaced=False, short_names=("pc",), schema=root(), has_status=False,
        columns=(Column("Value", ".value", "integer"), AGE),
    ),
)  # fmt: skip
