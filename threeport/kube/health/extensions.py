"""Kinds that add kinds: CustomResourceDefinition and APIService."""

from __future__ import annotations

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import condition
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence


def assess_definition(obj: FrozenJson) -> Verdict:
    """Healthy when the API server serves the kind."""
    refused = condition(obj, "NamesAccepted")
    if refused.get("status") == "False":
        return Verdict("Down", sentence(str(refused.get("reason") or ""), str(refused.get("message") or "")))
    established = condition(obj, "Established").get("status") == "True"
    return HEALTHY if established else Verdict("Progressing", "is not established yet")


def assess_api_service(obj: FrozenJson) -> Verdict:
    """Healthy when the server behind it answers."""
    available = condition(obj, "Available")
    if available.get("status") == "True":
        return HEALTHY
    if not available:
        return Verdict("Progressing", "its availability is not known yet")
    return Verdict("Down", sentence(str(available.get("reason") or ""), str(available.get("message") or "")))
