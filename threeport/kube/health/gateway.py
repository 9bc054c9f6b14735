"""Kinds of the Gateway API (gateway.networking.k8s.io): each gateway says on its own what it makes of a route, and each
listener how it is. Reasons and conditions are those of ``sigs.k8s.io/gateway-api/apis/v1``."""

from __future__ import annotations

from typing import Final

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.health.conditions import assess_by_conditions
from threeport.kube.health.fields import condition, items, part
from threeport.kube.health.verdict import HEALTHY, UNOBSERVED, Verdict, sentence, worst

GROUP: Final = "gateway.networking.k8s.io"
ROUTES: Final = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
OTHERS: Final = ("Gateway", "ListenerSet", "BackendTLSPolicy")

_PARTS: Final = ("parents", "listeners", "ancestors")
_WANTED: Final = ("Accepted", "ResolvedRefs", "Programmed")
_PENDING: Final = "Pending"


def assess_route(obj: FrozenJson) -> Verdict:
    """Healthy when each gateway that it names has taken it as it is."""
    if not items(obj, "status", "parents"):
        return Verdict("Progressing", "no gateway has taken it up yet")
    return assess_by_parts(obj)


def assess_by_parts(obj: FrozenJson) -> Verdict:
    """By its own conditions, and by those of its gateways or listeners. What was said of an older generation counts if
    nothing is said of this one."""
    parts = [one for field in _PARTS for one in items(obj, "status", field) if items(one, "conditions")]
    generation = part(obj, "metadata").get("generation")
    current = [one for one in parts if _speaks_of(one, generation)]
    stale = [UNOBSERVED] if parts and not current else []
    return worst([assess_by_conditions(obj), *map(_assess_part, current), *stale])


def _speaks_of(one: FrozenJson, generation: object) -> bool:
    seen = [found.get("observedGeneration") for found in items(one, "conditions")]
    return not isinstance(generation, int) or any(number in (None, generation) for number in seen)


def _assess_part(one: FrozenJson) -> Verdict:
    said = {"status": one}
    refused = [found for kind in _WANTED if (found := condition(said, kind)).get("status") == "False"]
    conflict = condition(said, "Conflicted")
    for found in [conflict, *refused] if conflict.get("status") == "True" else refused:
        reason = str(found.get("reason") or f"not {found.get('type')}")
        text = sentence(f"{_name(one)}: {reason}", str(found.get("message") or ""))
        return Verdict("Progressing" if reason == _PENDING else "Degraded", text)
    return HEALTHY


def _name(one: FrozenJson) -> str:
    reference: JsonObject = part(one, "parentRef") or part(one, "ancestorRef")
    return str(reference.get("name") or one.get("name") or "")
