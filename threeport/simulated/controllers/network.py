"""Addresses of load balancers and ingresses: from a range that is reserved for documentation, so they lead nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from threeport.simulated.world import Entry, World
from threeport.store.records import Key


class Addresses:
    """Gives Services of type LoadBalancer and Ingresses an address of 198.51.100.0/24 (RFC 5737)."""

    resources = ("services", "ingresses.networking.k8s.io")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The object itself."""
        return (entry.key,)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Writes the address into the status."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting:
            return None
        balanced = key.resource != "services" or entry.obj["spec"].get("type") == "LoadBalancer"
        status = {"loadBalancer": {"ingress": [{"ip": _address(entry.uid)}]} if balanced else {}}
        await world.set_status(entry, status)
        return None


def _address(uid: str) -> str:
    return f"198.51.100.{1 + hashlib.sha256(uid.encode()).digest()[0] % 254}"
