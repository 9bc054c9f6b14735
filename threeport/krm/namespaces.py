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

import orjson

from threeport.common.errors import Forbidden, NotFound
from threeport.common.types import JsonObject
from threeport.krm.batches import write_each
from threeport.krm.deletion import begun_deletion
from threeport.krm.drafts import change
from threeport.krm.services import Services
from threeport.resources.kind import Kind
from threeport.store.records import Key, Listing, StaleRevision, StoredObject, StoreUnavailable, Write

logger = logging.getLogger(__name__)

RESOURCE = "namespaces"
CONTENT_FINALIZER = "kubernetes"

_ALIVE_FOR = 1.0
"""Seconds for which a namespace that was seen alive is not looked up again."""
_REMEMBERED = 10_000
_BATCH = 500
_TAKEN_OVER_AFTER = 30.0
"""Seconds that a namespace is left to the process that was asked to delete it, so that only one sweeps."""
_PERIOD = 5.0
_BUSY_PERIOD = 0.5


NAME_LABEL = "kubernetes.io/metadata.name"
"""By which a namespace can be selected, as in Kubernetes."""


def name_by_label(namespace: JsonObject) -> None:
    """Gives a namespace the label that holds its name."""
    labels = namespace["metadata"].get("labels") or {}
    if isinstance(labels, dict):
        namespace["metadata"]["labels"] = {**labels, NAME_LABEL: namespace["metadata"]["name"]}


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
        self._deleted_here: set[str] = set()
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

    def wake(self, name: str) -> None:
        """The namespace has been deleted by a request to this process: sweep now."""
        self._deleted_here.add(name)
        self._wake.set()

    async def run(self) -> None:
        """Sweeps until cancelled: soon after a deletion here, and regularly for those of other processes."""
        while True:
            self._wake.clear()
            busy = await self._sweep_safely()
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
        """One step for every terminating namespace that is this process's to sweep. Returns whether any is left."""
        known = set(self._deleted_here)
        terminating = (await self._services.store.list_page(Listing(RESOURCE, only_deleting=True))).items
        self._deleted_here -= known - {namespace.key.name for namespace in terminating}
        mine = [one for one in terminating if one.key.name in self._deleted_here or _age(one) > _TAKEN_OVER_AFTER]
        for namespace in mine:
            self._alive.pop(namespace.key.name, None)
            await self._step(namespace)
        return bool(mine)

    async def _step(self, namespace: StoredObject) -> None:
        empty = True
        for kind in self._deletion_order():
            empty = await self._empty(kind, namespace.key.name) and empty
        if empty and _age(namespace) > self._services.namespace_grace:
            await self._release(namespace)

    async def _empty(self, kind: Kind, namespace: str) -> bool:
        """Deletes the objects of a kind, or begins to. Returns whether there were none."""
        listing = Listing(kind.resource, namespace=namespace)
        after: tuple[str, str] | None = None
        empty = True
        while True:
            page = await self._services.store.list_page(listing, limit=_BATCH, after=after)
            empty = empty and not page.items
            writes = [begun_deletion(item) for item in page.items if not item.deleting]
            # What fails has changed, or is still referred to: the next round tries again.
            failed = {failure.write.uid for failure in await write_each(self._services.store, writes)}
            self._services.written([write.outcome(0) for write in writes if write.uid not in failed])
            if (after := page.after) is None:
                return empty

    def _deletion_order(self) -> list[Kind]:
        """Namespaced kinds, those that refer to others first, so that references block as little as possible."""
        kinds = [kind for kind in self._services.catalog if kind.namespaced]
        return sorted(kinds, key=lambda kind: -len(kind.references))

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
