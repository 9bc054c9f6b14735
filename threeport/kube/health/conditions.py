"""Objects of kinds that have no rules of their own, by the conventions that controllers keep.

The rules are those of kstatus (sigs.k8s.io/cli-utils, ``pkg/kstatus``): ``Reconciling`` and ``Stalled`` first, then
``Ready``; an object that says nothing is taken to be what its spec says.
"""

from __future__ import annotations

from typing import Final

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import items, part
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence

TROUBLE: Final = ("Stalled", "Failed", "Degraded", "Error")
UNDER_WAY: Final = ("Reconciling", "Progressing")
WELL: Final = ("Ready", "Available", "Healthy", "Succeeded", "Complete", "Completed", "Established")
FAILED_PHASES: Final = frozenset({"failed", "error", "degraded", "lost"})
STARTING_PHASES: Final = frozenset({"pending", "creating", "provisioning", "initializing", "updating", "progressing"})


def assess_by_conditions(obj: FrozenJson) -> Verdict:
    """Trouble if a condition says so, Progressing while it is under way or not ready, else Healthy."""
    status = part(obj, "status")
    observed, generation = status.get("observedGeneration"), part(obj, "metadata").get("generation")
    if isinstance(observed, int) and isinstance(generation, int) and observed < generation:
        return Verdict("Progressing", "its controller has not seen the change yet")
    conditions = {str(found.get("type")): found for found in items(obj, "status", "conditions")}
    for kind in TROUBLE:
        if conditions.get(kind, {}).get("status") == "True":
            return Verdict("Degraded", _explain(kind, conditions[kind]))
    well = [conditions[kind] for kind in WELL if kind in conditions]
    if well:
        return _by_readiness(well[0])
    for kind in UNDER_WAY:
        if conditions.get(kind, {}).get("status") == "True":
            return Verdict("Progressing", _explain(kind, conditions[kind]))
    return _by_phase(str(status.get("phase") or ""), str(status.get("message") or ""))


def _by_readiness(found: FrozenJson) -> Verdict:
    if found.get("status") == "True":
        return HEALTHY
    return Verdict("Progressing", _explain(f"not {found.get('type')}", found))


def _by_phase(phase: str, message: str) -> Verdict:
    if phase.lower() in FAILED_PHASES:
        return Verdict("Down", sentence(phase, message))
    if phase.lower() in STARTING_PHASES:
        return Verdict("Progressing", sentence(phase, message))
    return HEALTHY


def _explain(fallback: str, found: FrozenJson) -> str:
    return sentence(str(found.get("reason") or fallback), str(found.get("message") or ""))
