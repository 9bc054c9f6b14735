"""Volumes: PersistentVolumeClaim and PersistentVolume."""

from __future__ import annotations

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import part
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence


def assess_volume_claim(obj: FrozenJson) -> Verdict:
    """Healthy when bound; Down when the volume behind it was lost."""
    phase = part(obj, "status").get("phase")
    if phase == "Bound":
        return HEALTHY
    if phase == "Lost":
        return Verdict("Down", sentence("Lost", "the volume that it was bound to is gone"))
    return Verdict("Progressing", "waits for a volume")


def assess_volume(obj: FrozenJson) -> Verdict:
    """Healthy when it can be or is used."""
    status = part(obj, "status")
    if status.get("phase") == "Failed":
        return Verdict("Down", sentence(str(status.get("reason") or "Failed"), str(status.get("message") or "")))
    return Verdict("Progressing", "is being provisioned") if status.get("phase") == "Pending" else HEALTHY
