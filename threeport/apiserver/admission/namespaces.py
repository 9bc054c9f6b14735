"""Namespaces: objects are made in one that exists, and one is deleted when it is empty."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Final

from threeport.common.errors import Conflict, Forbidden, NotFound
from threeport.krm.interfaces import Admission, ObjectStore
from threeport.resources.kind import Catalog
from threeport.store.records import Key

NAMESPACES: Final = "namespaces"
DEFAULT_NAMESPACE: Final = "default"

_TRUSTED_FOR: Final = 2.0
"""Seconds for which a namespace that was seen is not looked up again: one select less in nearly every create."""
_SHOWN: Final = 5


class NamespaceAdmitter:
    """Looks after the namespaces of objects. Implements `Admitter`."""

    def __init__(self, catalog: Catalog, store: ObjectStore) -> None:
        self._catalog = catalog
        self._store = store
        self._seen: dict[str, float] = {}

    async def admit(self, admission: Admission) -> None:
        """Raises `NotFound` or `Conflict` for a namespace that is missing or going, `Conflict` for one in use."""
        if admission.kind.resource == NAMESPACES:
            if admission.operation == "DELETE":
                await self._may_go(admission.key.name)
        elif admission.operation == "CREATE" and admission.kind.namespaced:
            await self._exists(admission.key.namespace)

    async def _exists(self, namespace: str) -> None:
        now = time.monotonic()
        if self._seen.get(namespace, 0) > now:
            return
        found = await self._store.get(Key(NAMESPACES, "", namespace))
        if found is None:
            raise NotFound(
                f'namespaces "{namespace}" not found: create it first, or name another one.',
                kind=NAMESPACES,
                name=namespace,
            )
        if found.deleting:
            raise Conflict(f'namespaces "{namespace}" is being deleted: wait, then create it anew.', name=namespace)
        self._seen[namespace] = now + _TRUSTED_FOR

    async def _may_go(self, namespace: str) -> None:
        if namespace == DEFAULT_NAMESPACE:
            raise Forbidden(f'namespaces "{namespace}" cannot be deleted: it is where objects go by default.')
        self._seen.pop(namespace, None)
        held = [found async for found in self._contents(namespace)]
        if held:
            raise Conflict(
                f'namespaces "{namespace}" holds objects; delete them first: {", ".join(held)}',
                kind=NAMESPACES,
                name=namespace,
            )

    async def _contents(self, namespace: str) -> AsyncIterator[str]:
        """Some objects of the namespace as ``resource/name``. Events go with time and keep nothing."""
        for kind in self._catalog:
            if kind.namespaced and kind.resource != "events":
                page = await self._store.list_page(kind.resource, namespace=namespace, limit=_SHOWN)
                for found in page.items:
                    yield f"{kind.resource}/{found.key.name}"
