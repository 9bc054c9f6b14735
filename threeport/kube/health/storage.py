"""Volumes: PersistentVolumeClaim and PersistentVolume."""

from __future__ import annotations

from typing import Final

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import condition, part
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence
from threeport.resources.workload import Health

_CHANGES: Final[tuple[tuple[str, Health], ...]] = (
    ("ControllerResizeError", "Degraded"),
    ("NodeResizeError", "Degraded"),
    ("ModifyVolumeError", "Degraded"),
    ("FileSystemResizePending", "Progressing"),
    ("Resizing", "Progressing"),
    ("ModifyingVolume", "Progressing"),
)
"""Conditions of a claim whose volume is not yet what the claim wants, and what they mean, what needs attention first
(k8s.io/api/core/v1, ``PersistentVolumeClaimConditionType``)."""


def assess_volume_claim(obj: FrozenJson) -> Verdict:
    """Healthy when bound to a volume as it wants it; Down when the volume behind it was lost."""
    phase = part(obj, "status").get("phase")
    if phase == "Bound":
        return _change(obj)
    if phase == "Lost":
        return Verdict("Down", sentence("Lost", "the volume that it was bound to is gone"))
    return Verdict("Progressing", "waits for a volume")


def _change(obj: FrozenJson) -> Verdict:
    """How far the volume is changed as the claim wants it: enlarged, or of another class of attributes."""
    for kind, health in _CHANGES:
        found = condition(obj, kind)
        if found.get("status") == "True":
            return Verdict(health, sentence(kind, str(found.get("message") or "the volume is being changed")))
    return HEALTHY


def assess_volume(obj: FrozenJson) -> Verdict:
    """Healthy when it can be or is used."""
    status = part(obj, "status")
    if status.get("phase") == "Failed":
        return Verdict("Down", sentence(str(status.get("reason") or "Failed"), str(status.get("message") or "")))
    return Verdict("Progressing", "is being provisioned") if status.get("phase") == "Pending" else HEALTHY
