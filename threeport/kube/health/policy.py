"""What keeps pods in number: HorizontalPodAutoscaler and PodDisruptionBudget."""

from __future__ import annotations

from typing import Final

import orjson

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.health.fields import condition, is_unobserved, items, number, part
from threeport.kube.health.verdict import HEALTHY, UNOBSERVED, Verdict, sentence

_V1_CONDITIONS: Final = "autoscaling.alpha.kubernetes.io/conditions"


def assess_autoscaler(obj: FrozenJson) -> Verdict:
    """Degraded when it cannot read its metrics or cannot scale: the pods then stay as many as they are."""
    conditions = items(obj, "status", "conditions") or _conditions_of_v1(obj)
    if not conditions:
        return Verdict("Progressing", "the autoscaler has not looked at it yet")
    for kind in ("AbleToScale", "ScalingActive"):
        found = condition({"status": {"conditions": conditions}}, kind)
        if found.get("status") == "False" and found.get("reason") != "ScalingDisabled":
            return Verdict("Degraded", sentence(str(found.get("reason") or kind), str(found.get("message") or "")))
    return HEALTHY


def _conditions_of_v1(obj: FrozenJson) -> list[JsonObject]:
    """Version ``autoscaling/v1`` has no field for conditions: they stand in an annotation."""
    try:
        found = orjson.loads(str(part(obj, "metadata", "annotations").get(_V1_CONDITIONS) or "[]"))
    except orjson.JSONDecodeError:
        return []
    return items({"conditions": found}, "conditions")


def assess_disruption_budget(obj: FrozenJson) -> Verdict:
    """Healthy while as many pods are healthy as it wants. That there are fewer is no alarm of its own: pods that are
    starting are fewer, too, and those that are in trouble say so themselves."""
    if is_unobserved(obj):
        return UNOBSERVED
    allowed = condition(obj, "DisruptionAllowed")
    if allowed.get("reason") == "SyncFailed":
        return Verdict("Degraded", sentence("SyncFailed", str(allowed.get("message") or "")))
    found, wanted = number(obj, "status", "currentHealthy"), number(obj, "status", "desiredHealthy")
    if found >= wanted or not number(obj, "status", "expectedPods", default=1):
        return HEALTHY
    return Verdict("Progressing", f"{found} of {wanted} pods are healthy")
