"""How an application is reached: Service and Ingress."""

from __future__ import annotations

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import items, part
from threeport.kube.health.verdict import HEALTHY, Verdict


def assess_service(obj: FrozenJson) -> Verdict:
    """Healthy, unless it is of type LoadBalancer and has no address yet."""
    if part(obj, "spec").get("type") != "LoadBalancer":
        return HEALTHY
    return _has_address(obj, "the load balancer has no address yet")


def assess_ingress(obj: FrozenJson) -> Verdict:
    """Healthy when an ingress controller has given it an address."""
    return _has_address(obj, "no ingress controller has given it an address yet")


def _has_address(obj: FrozenJson, message: str) -> Verdict:
    return HEALTHY if items(obj, "status", "loadBalancer", "ingress") else Verdict("Progressing", message)
