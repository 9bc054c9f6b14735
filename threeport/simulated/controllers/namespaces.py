"""What every namespace has: the ServiceAccount ``default`` and the CA as a ConfigMap."""

from __future__ import annotations

from collections.abc import Iterable

from threeport.simulated.world import Entry, World
from threeport.store.records import Key

RESOURCE = "namespaces"
ROOT_CA = "kube-root-ca.crt"


class ServiceAccounts:
    """Makes them, again too if somebody deletes them."""

    resources = (RESOURCE, "serviceaccounts", "configmaps")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The namespace, or that of an account that may have been deleted."""
        if entry.key.resource == RESOURCE:
            return (entry.key,)
        return (Key(RESOURCE, "", entry.key.namespace),) if entry.stored.deleted else ()

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Makes what is missing in a living namespace."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting:
            return None
        place = {"namespace": key.name}
        if world.get("serviceaccounts", key.name, "default") is None:
            await world.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", **place}})
        if world.get("configmaps", key.name, ROOT_CA) is None:
            metadata = {"name": ROOT_CA, **place}
            await world.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": ""}})
        return None
