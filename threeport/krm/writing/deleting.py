"""Plans that delete an object, or begin its deletion."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from threeport.common.errors import ApiError
from threeport.krm.deletion import DeleteOptions, begun_deletion, check_preconditions
from threeport.krm.interfaces import Caller
from threeport.krm.paths import Target
from threeport.krm.services import Services
from threeport.krm.writing.access import admit, authorize, read
from threeport.krm.writing.plans import Options, Plan, WriteRequest
from threeport.krm.writing.refusals import in_use
from threeport.resources.kind import Kind
from threeport.store.records import StoredObject


class Deleter:
    """Plans deletions."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def plan(
        self, caller: Caller, target: Target, options: DeleteOptions, *, stored: StoredObject | None = None
    ) -> Plan:
        """A plan that deletes an object, or begins its deletion. Nothing to write if it has begun already.

        Without `stored` the object is read first. Raises `NotFound`, `Conflict` for preconditions that do not hold,
        and what else the caller is refused it with; in a dry run also for those who refer to the object.
        """
        stored = stored or await read(self._services, target)
        old = self._services.views.decoded(target.kind, stored, caller)
        await authorize(self._services, caller, "delete", target, old)
        check_preconditions(options, stored)
        if stored.deleting:
            return Plan(target.kind, None, stored)
        request = WriteRequest(caller, target, Options(dry_run=options.dry_run))
        admission = await admit(self._services, request, stored.key, "DELETE", new=None, old=old)
        if options.dry_run and (blockers := await self._services.store.blockers(stored.key)):
            raise in_use(target.kind, stored.key, blockers, self._services.catalog)
        finalizer = options.finalizer if self._services.garbage_collector else None
        write = begun_deletion(stored, finalizer)
        return Plan(target.kind, write, write.outcome(stored.revision), admission.warnings)

    async def plan_each(
        self, caller: Caller, kind: Kind, items: Sequence[StoredObject], options: DeleteOptions
    ) -> list[Plan]:
        """Plans for those of the objects, as they are, that the caller may delete; what stands against the others is
        told to who deletes them alone."""
        plans: list[Plan] = []
        for item in items:
            target = Target(kind, item.key.namespace, item.key.name)
            with contextlib.suppress(ApiError):
                plans.append(await self.plan(caller, target, options, stored=item))
        return plans
