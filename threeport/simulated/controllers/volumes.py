"""Volumes: every claim is bound at once to a volume of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from threeport.common.types import JsonObject
from threeport.simulated.world import SIMULATED_LABEL, Entry, World
from threeport.store.records import Key

CLAIMS: Final = "persistentvolumeclaims"
VOLUMES: Final = "persistentvolumes"
STORAGE_CLASS: Final = "standard"


class Volumes:
    """Provisions a volume for each claim, and deletes it with the claim."""

    resources = (CLAIMS, VOLUMES)

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The claim; or a volume, which goes with its claim."""
        return (entry.key,)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Binds a claim, or deletes the volume of one that is gone."""
        if key.resource == VOLUMES:
            volume = world.find(key)
            if volume is not None and _is_left_over(volume, world):
                await world.delete(volume)
            return None
        claim = world.find(key)
        if claim is None:
            for volume in world.all_of(VOLUMES):
                if _is_left_over(volume, world):
                    await world.delete(volume)
        elif not claim.stored.deleting:
            await self._bind(claim, world)
        return None

    async def _bind(self, claim: Entry, world: World) -> None:
        if (claim.obj.get("status") or {}).get("phase") == "Bound":
            return
        name = f"pvc-{claim.uid}"
        await world.create(_volume(claim, name))
        spec = claim.obj["spec"]
        status = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
            "capacity": {"storage": _size(claim)},
        }

        def edit(obj: JsonObject) -> None:
            obj["spec"].setdefault("storageClassName", STORAGE_CLASS)
            obj["spec"]["volumeName"] = name
            obj["status"] = status

        await world.update(claim, edit)


def _is_left_over(volume: Entry, world: World) -> bool:
    made_here = SIMULATED_LABEL in (volume.obj["metadata"].get("labels") or {})
    claim = volume.obj["spec"].get("claimRef") or {}
    return made_here and world.find_uid(claim.get("uid", "")) is None


def _size(claim: Entry) -> str:
    resources = claim.obj["spec"].get("resources") or {}
    return str((resources.get("requests") or {}).get("storage") or "1Gi")


def _volume(claim: Entry, name: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": {SIMULATED_LABEL: "true"}},
        "spec": {
            "accessModes": claim.obj["spec"].get("accessModes") or ["ReadWriteOnce"],
            "capacity": {"storage": _size(claim)},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim.key.namespace,
                "name": claim.key.name,
                "uid": claim.uid,
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": claim.obj["spec"].get("storageClassName") or STORAGE_CLASS,
        },
        "status": {"phase": "Bound"},
    }
