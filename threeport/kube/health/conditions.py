"""Objects of kinds that have no rules of their own, by the conventions that controllers keep.

The rules are those of kstatus (sigs.k8s.io/cli-utils, ``pkg/kstatus``): what is of an older generation says nothing,
``Stalled`` and ``Reconciling`` rule over ``Ready``, an object that says nothing is taken to be what its spec says:
without conditions and without ``observedGeneration`` it is Current there (``Compute`` in ``status.go`` ends so: "the
absence of any known conditions means the resource is current") and Healthy here, as many kinds never have a status. In
kstatus that is not ready is always under way; here the words that controllers choose for their reasons tell whether
somebody has to do something: ``InstallFailed`` (Flux), ``ErrRegisterACMEAccount`` (cert-manager), ``ReconcileError``
(Crossplane), ``SecretSyncedError`` (External Secrets), or the severity that Cluster API puts beside them.
"""

from __future__ import annotations

import re
from typing import Final

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.health.fields import items, part
from threeport.kube.health.verdict import HEALTHY, UNOBSERVED, Verdict, sentence
from threeport.resources.workload import Health

TROUBLE: Final = ("Stalled", "Failed", "Degraded", "Error")
"""Something is wrong if True."""
WANTED: Final = ("Synced", "Accepted", "Issuing")
"""Something is wrong if False, for a reason that says so; if True, the object need not be ready yet."""
WELL: Final = ("Ready", "Available", "Healthy", "Succeeded", "Complete", "Completed", "Programmed", "Established")
"""The object is what it should be if True; the first that there is counts."""
ENDS: Final = frozenset({"Succeeded"})
"""If False, the work has failed; while it goes on they are Unknown (Tekton, Knative)."""
UNDER_WAY: Final = "Progressing"
FAILED_PHASES: Final = frozenset({"failed", "error", "degraded", "lost"})
STARTING_PHASES: Final = frozenset({"pending", "creating", "provisioning", "initializing", "updating", "progressing"})
_WRONG: Final = re.compile(
    r"Err(?=[A-Z]|or|$)|Fail|Invalid|Denied|Forbidden|Unauthorized|Unhealthy|Unsupported|Refused"
)


def assess_by_conditions(obj: FrozenJson) -> Verdict:
    """Trouble if a condition says so, Progressing while it is under way or not ready, else Healthy."""
    status, generation = part(obj, "status"), part(obj, "metadata").get("generation")
    if _is_older(status.get("observedGeneration"), generation):
        return UNOBSERVED
    conditions = {str(found.get("type")): found for found in items(obj, "status", "conditions")}
    trouble = _trouble(conditions)
    if trouble is not None:
        return trouble
    if conditions.get("Reconciling", {}).get("status") == "True":
        return Verdict("Progressing", _explain("Reconciling", conditions["Reconciling"]))
    well = next((conditions[kind] for kind in WELL if kind in conditions), None)
    if well is not None and well.get("status") == "True":
        return UNOBSERVED if _is_older(well.get("observedGeneration") or None, generation) else HEALTHY
    failed = _by_phase(status, FAILED_PHASES, "Down")
    if failed is not None or well is not None:
        return failed or _by_unreadiness(well or {})
    starting = _by_phase(status, STARTING_PHASES, "Progressing")
    return starting or _by_unreadiness(conditions.get(UNDER_WAY, {}))


def _trouble(conditions: dict[str, JsonObject]) -> Verdict | None:
    for kind in TROUBLE:
        if conditions.get(kind, {}).get("status") == "True":
            return Verdict("Degraded", _explain(kind, conditions[kind]))
    for kind in WANTED:
        found = conditions.get(kind, {})
        if found.get("status") == "False" and _is_wrong(found):
            return Verdict("Degraded", _explain(f"not {kind}", found))
    return None


def _by_unreadiness(found: FrozenJson) -> Verdict:
    """Of the condition that tells whether all is well and does not say so; of none: that nothing is under way."""
    kind, status = found.get("type"), found.get("status")
    if not found or (kind == UNDER_WAY and status != "True"):
        return HEALTHY
    if kind in ENDS and status == "False":
        return Verdict("Down", _explain("failed", found))
    fallback = str(kind) if kind == UNDER_WAY else f"not {kind}"
    return Verdict("Degraded" if status == "False" and _is_wrong(found) else "Progressing", _explain(fallback, found))


def _by_phase(status: FrozenJson, phases: frozenset[str], health: Health) -> Verdict | None:
    phase, message = str(status.get("phase") or ""), status.get("message") or status.get("failureMessage")
    return Verdict(health, sentence(phase, str(message or ""))) if phase.lower() in phases else None


def _is_wrong(found: FrozenJson) -> bool:
    return found.get("severity") == "Error" or bool(_WRONG.search(str(found.get("reason") or "")))


def _is_older(observed: object, generation: object) -> bool:
    return isinstance(observed, int) and isinstance(generation, int) and observed < generation


def _explain(fallback: str, found: FrozenJson) -> str:
    return sentence(str(found.get("reason") or fallback), str(found.get("message") or ""))
