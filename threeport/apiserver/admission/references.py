"""References: to nothing is accepted with a warning, into another namespace only for who may read there."""

from __future__ import annotations

from threeport.apiserver.admission.fields import text_at, values_at
from threeport.krm.interfaces import Action, Admission, Authorizer, ObjectStore
from threeport.resources.kind import Catalog, ReferenceField
from threeport.store.records import Key


class ReferenceAdmitter:
    """Looks up what a written object refers to. Implements `Admitter`."""

    def __init__(self, catalog: Catalog, store: ObjectStore, authorizer: Authorizer) -> None:
        self._catalog = catalog
        self._store = store
        self._authorizer = authorizer

    async def admit(self, admission: Admission) -> None:
        """Adds a warning for each reference to nothing. Raises `Forbidden` for one that the caller may not follow.

        A reference that only observes (`blocks_deletion` is false) may outlive its target: no warning then.
        """
        if admission.new is None or admission.subresource:
            return
        for reference in admission.kind.references:
            for value in values_at(admission.new, reference.path):
                await self._check(admission, reference, value)

    async def _check(self, admission: Admission, reference: ReferenceField, value: object) -> None:
        name = text_at(value, "name")
        if not name:
            return
        namespace = (text_at(value, "namespace") or admission.key.namespace) if reference.namespaced else ""
        if namespace != admission.key.namespace and reference.namespaced:
            await self._may_follow(admission, reference, namespace, name)
        if not reference.blocks_deletion:
            return
        key = Key(reference.resource, namespace, name)
        if key not in admission.together and await self._store.get(key) is None:
            where = f" in namespace {namespace!r}" if namespace else ""
            admission.warnings.append(
                f'{".".join(reference.path)}: {reference.resource} "{name}" does not exist yet{where}; '
                f"{admission.kind.kind} {admission.key.name!r} waits for it"
            )

    async def _may_follow(self, admission: Admission, reference: ReferenceField, namespace: str, name: str) -> None:
        """Raises `Forbidden` unless the caller may read the object: controllers act on it for them."""
        kind = self._catalog.by_resource(reference.resource)
        if kind is not None:
            await self._authorizer.authorize(admission.caller, Action("get", kind, namespace, name))
