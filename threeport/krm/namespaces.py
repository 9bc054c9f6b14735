"""Namespaces: objects are created only in living ones, and a deleted one takes its content with it.

Like in Kubernetes a namespace stays, Terminating, as long as ``spec.finalizers`` names ``kubernetes``. The sweep here
deletes what is in it and then takes that entry away. It waits until no create that still saw the namespace alive can
commit (`Services.namespace_grace`), so nothing is left without its namespace.
"""

from __future__ import annotations

import asyncio
import calendar
import logging
import time
from collections.abc import Iterable

import orjson

from threeport.common.errors import Forbidden, NotFound
from threeport.common.types import JsonObject
from threeport.krm.deletion import begun_deletion
from threeport.krm.drafts import change
from threeport.krm.services import Services
from threeport.resources.kind import Kind
from threeport.store.records import Key, StaleRevision, StillReferenced, StoredObject, StoreUnavailable, Write

logger = logging.getLogger(__name__)

RESOURCE = "namespaces"
CONTENT_FINALIZER = "kubernetes"

_ALIVE_FOR = 1.0
"""Seconds for which a namespace that was seen alive is not looked up again."""
_REMEMBERED = 10_000
_BATCH = 200
_PERIOD = 5.0
_BUSY_PERIOD = 0.5


def begin(namespace: JsonObject) -> None:
    """Makes a new namespace active, and holds it until its content is deleted."""
    spec = namespace.get("spec") or {}
    if isinstance(spec, dict):
        namespace["spec"] = {**spec, "finalizers": [CONTENT_FINALIZER]}
    namespace["status"] = {"phase": "Active"}


class Namespaces:
    """Knows which namespaces take new objects, and clears out the deleted ones."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._alive: dict[str, float] = {}
        self._wake = asyncio.Event()

    async def check(self, name: str) -> None:
        """Returns if objects may be created in the namespace; raises `NotFound`, or `Forbidden` if it terminates."""
        now = time.monotonic()
        if self._alive.get(name, 0.0) > now:
            return
        found = await self._services.store.get(Key(RESOURCE, "", name))
        if found is None:
            message = f'namespaces "{name}" not found; create it first'
            raise NotFound(message, kind=RESOURCE, name=name)
        if found.deleting:
            raise Forbidden(
                f'namespace "{name}" is being terminated; wait until it is gone, or use another one', name=name
            )
        if len(self._alive) > _REMEMBERED:
            self._alive.clear()
        self._alive[name] = now + _ALIVE_FOR

    def wake(self) -> None:
        """A namespace has been deleted: sweep now."""
        self._wake.set()

    async def run(self) -> None:
        """Sweeps until cancelled: soon after a deletion here, and regularly for those of other processes."""
        while True:
            busy = await self._sweep_safely()
            self._wake.clear()
            try:
                async with asyncio.timeout(_BUSY_PERIOD if busy else _PERIOD):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _sweep_safely(self) -> bool:
        try:
            return await self.sweep()
        except StoreUnavailable:
            return False
        except Exception:
            logger.exception("The sweep of deleted namespaces failed; it is tried again")
            return False

    async def sweep(self) -> bool:
        """One step for every terminating namespace. Returns whether any is left."""
        page = await self._services.store.list_page(RESOURCE)
        terminating = [namespace for namespace in page.items if namespace.deleting]
        for namespace in terminating:
            self._alive.pop(namespace.key.name, None)
            await self._step(namespace)
        return bool(terminating)

    async def _step(self, namespace: StoredObject) -> None:
        empty = True
        for kind in self._deletion_order():
            page = await self._services.store.list_page(kind.resource, namespace=namespace.key.name, limit=_BATCH)
            empty = empty and not page.items
            await self._delete(item for item in page.items if not item.deleting)
        if empty and _age(namespace) > self._services.namespace_grace:
            await self._release(namespace)

    def _deletion_order(self) -> list[Kind]:
        """Namespaced kinds, those that refer to others first, so that references block as little as possible."""
        kinds = [kind for kind in self._services.catalog if kind.namespaced]
        return sorted(kinds, key=lambda kind: -len(kind.references))

    async def _delete(self, items: Iterable[StoredObject]) -> None:
        writes = [begun_deletion(item) for item in items]
        while writes:
            try:
                await self._services.store.write(writes)
                return
            except (StaleRevision, StillReferenced) as error:
                left = [write for write in writes if write.key != error.key]
                if len(left) == len(writes):
                    return
                writes = left

    async def _release(self, namespace: StoredObject) -> None:
        obj: JsonObject = orjson.loads(namespace.served())
        spec = obj.get("spec") or {}
        kept = [name for name in spec.get("finalizers") or () if name != CONTENT_FINALIZER]
        if kept == spec.get("finalizers"):
            return
        write: Write = change(namespace, {**obj, "spec": {**spec, "finalizers": kept}}, namespace.bookkeeping)
        try:
            await self._services.store.write([write])
        except StaleRevision:
            self._wake.set()


def _age(namespace: StoredObject) -> float:
    """Seconds since the deletion of the namespace."""
    begun = namespace.decoded()["metadata"]["deletionTimestamp"]
    return time.time() - _seconds(begun)


def _seconds(stamp: str) -> float:
    return calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))
