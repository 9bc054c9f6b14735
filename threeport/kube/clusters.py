"""Connections to clusters, kept while they are in use: making one costs a TLS handshake and a discovery."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster

KEPT: Final = 200


class Clusters:
    """Handles by the uid of their runtime; another endpoint or other credentials make a new handle."""

    def __init__(self, *, kept: int = KEPT) -> None:
        self._kept = kept
        self._handles: OrderedDict[str, tuple[str, Cluster]] = OrderedDict()

    async def get(self, uid: str, access: ClusterAccess) -> Cluster:
        """The handle for the runtime with this uid, by way of `access`. Raises as `Cluster` does."""
        digest = access.digest()
        known = self._handles.get(uid)
        if known is not None and known[0] == digest:
            self._handles.move_to_end(uid)
            return known[1]
        # Nothing is awaited until the new handle stands in its place: of two who ask at a time one finds the other's.
        cluster = Cluster(access)
        self._handles[uid] = (digest, cluster)
        self._handles.move_to_end(uid)
        replaced = [known[1]] if known is not None else []
        while len(self._handles) > self._kept:
            replaced.append(self._handles.popitem(last=False)[1][1])
        for handle in replaced:
            await handle.close()
        return cluster

    async def forget(self, uid: str) -> None:
        """Closes the handle of this runtime, if there is one."""
        known = self._handles.pop(uid, None)
        if known is not None:
            await known[1].close()

    async def close(self) -> None:
        """Closes all handles."""
        for uid in list(self._handles):
            await self.forget(uid)
