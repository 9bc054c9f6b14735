"""What is on its way out, and what holds it up."""

from __future__ import annotations

from typing import Final

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import condition, items, part
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence

_MESSAGE: Final = "is being deleted"
_LOST_NODE: Final = "DeletionByTaintManager"
"""Why a pod goes from a node that does not answer. It stays until the node is back or gone: StatefulSets wait for it
(kubernetes.io/docs/concepts/workloads/pods/disruptions, "Pod disruption conditions")."""
_OF_CONTENT: Final = ("foregroundDeletion", "orphan")
"""Finalizers that the garbage collector takes away by itself."""


def is_on_its_way_out(verdict: Verdict) -> bool:
    """Whether the verdict is that of an object that is being deleted."""
    return verdict.message.startswith(_MESSAGE)


def assess_deletion(obj: FrozenJson) -> Verdict:
    """Of an object with a ``deletionTimestamp``: since when it goes, and what it waits for."""
    metadata = part(obj, "metadata")
    named = metadata.get("finalizers")
    finalizers = [str(name) for name in named if name not in _OF_CONTENT] if isinstance(named, list) else []
    waits = f", and waits for finalizer {', '.join(finalizers)}" if finalizers else ""
    since = f"{_MESSAGE} since {metadata.get('deletionTimestamp')}{waits}"
    driven_out = condition(obj, "DisruptionTarget")
    if driven_out.get("reason") == _LOST_NODE:
        return Verdict("Degraded", sentence(since, str(driven_out.get("message") or _LOST_NODE)))
    return Verdict("Progressing", sentence(since, _left(obj)))


def assess_namespace(obj: FrozenJson) -> Verdict:
    """Healthy while it takes objects."""
    if part(obj, "status").get("phase") != "Terminating":
        return HEALTHY
    return Verdict("Progressing", sentence(_MESSAGE, _left(obj)))


def _left(obj: FrozenJson) -> str:
    """What a namespace says that keeps it: contents, finalizers of theirs, kinds that cannot be listed."""
    found = [one for one in items(obj, "status", "conditions") if one.get("status") == "True"]
    keeping = [one for one in found if str(one.get("type")).startswith("Namespace")]
    return "; ".join(str(one.get("message") or one.get("reason") or "") for one in keeping)
