"""What keeps pods in number: HorizontalPodAutoscaler and PodDisruptionBudget."""

from __future__ import annotations

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import condition, is_unobserved, items, number
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence


def assess_autoscaler(obj: FrozenJson) -> Verdict:
    """Degraded when it cannot read its metrics or cannot scale: the pods then stay as many as they are."""
    if not items(obj, "status", "conditions"):
        return Verdict("Progressing", "the autoscaler has not looked at it yet")
    for kind in ("AbleToScale", "ScalingActive"):
        found = condition(obj, kind)
        if found.get("status") == "False" and found.get("reason") != "ScalingDisabled":
            return Verdict("Degraded", sentence(str(found.get("reason") or kind), str(found.get("message") or "")))
    return HEALTHY


def assess_disruption_budget(obj: FrozenJson) -> Verdict:
    """Healthy while as many pods are healthy as it wants."""
    if is_unobserved(obj):
        return Verdict("Progressing", "its controller has not seen the change yet")
    found, wanted = number(obj, "status", "currentHealthy"), number(obj, "status", "desiredHealthy")
    return HEALTHY if found >= wanted else Verdict("Degraded", f"{found} of {wanted} pods are healthy")
