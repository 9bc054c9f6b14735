"""Carries plans out: each in a transaction of its own, several in one, or many in as few as possible."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from threeport.common.errors import ApiError, Conflict
from threeport.krm.batches import write_each
from threeport.krm.interfaces import Caller
from threeport.krm.namespaces import RESOURCE as NAMESPACES
from threeport.krm.namespaces import Namespaces
from threeport.krm.services import Services
from threeport.krm.writing.plans import Plan, Written
from threeport.krm.writing.refusals import explained
from threeport.store.records import Fence, Key, NameTaken, StaleRevision, StillReferenced, StoredObject, Write

ATTEMPTS = 10
"""How often a change is made anew from the latest version, when others keep writing the same object."""

PlanFrom: TypeAlias = Callable[[StoredObject | None], Awaitable[Plan]]
"""Makes a plan from the object in this state; None: from the object as it is, which has to be read."""


class Committer:
    """Carries plans out; `namespaces` sweeps those that have been deleted."""

    def __init__(self, services: Services, namespaces: Namespaces) -> None:
        self._services = services
        self._namespaces = namespaces

    async def commit_change(
        self, caller: Caller, key: Key, plan: PlanFrom, *, dry_run: bool, retry_taken: bool = False
    ) -> Written:
        """Like `commit`, for what may be there: first from its state as this process knows it, which saves reading it.

        As in kube-apiserver: the write is made only if the object still is at that revision. Whatever else comes of
        it may be due to what has changed since, and does not count: it is planned again from the object as it is.
        """
        known = None if dry_run else self._services.events.latest(key)
        if known is not None and (written := await self._commit_known(caller, known, plan)) is not None:
            return written
        return await self.commit(caller, lambda: plan(None), dry_run=dry_run, retry_taken=retry_taken)

    async def _commit_known(self, caller: Caller, known: StoredObject, plan_from: PlanFrom) -> Written | None:
        try:
            plan = await plan_from(known)
            if plan.write is None:
                return None
            return plan.written(*await self.store([plan], fence=caller.fence))
        except (ApiError, NameTaken, StaleRevision, StillReferenced):
            return None

    async def commit(
        self, caller: Caller, plan_once: Callable[[], Awaitable[Plan]], *, dry_run: bool, retry_taken: bool = False
    ) -> Written:
        """Makes a plan and carries it out; anew with the latest version of the object when it came too late.

        `retry_taken`: also when a create found its name taken, because the next plan is an update or takes another.
        Raises `ApiError`, `StaleRevision` when others keep changing the object, and what else the store raises.
        """
        for attempt in range(ATTEMPTS):
            plan = await plan_once()
            if plan.write is None or dry_run:
                return plan.written(plan.outcome)
            try:
                return plan.written(*await self.store([plan], fence=caller.fence))
            except (NameTaken, StillReferenced) as error:
                if attempt == ATTEMPTS - 1 or isinstance(error, StillReferenced) or not retry_taken:
                    raise explained(error, plan.kind, self._services.catalog) from None
            except StaleRevision:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0, 0.002 * 2**attempt))
        raise AssertionError("unreachable")

    async def store(self, plans: Sequence[Plan], *, fence: Fence | None) -> list[StoredObject]:
        """Writes all the plans in one transaction. Returns the outcome of each, written or not.

        Raises what the store raises; `refusals.explained` makes answers of `NameTaken` and `StillReferenced`.
        """
        writes = [plan.write for plan in plans if plan.write is not None]
        stored = iter(await self._write(writes, _claims_of(plans), fence) if writes else [])
        outcomes = [plan.outcome if plan.write is None else next(stored) for plan in plans]
        self._follow_up(outcomes)
        return outcomes

    async def _write(
        self, writes: Sequence[Write], claims: Sequence[Write], fence: Fence | None
    ) -> Sequence[StoredObject]:
        try:
            return await self._services.store.write([*writes, *claims], fence=fence)
        except NameTaken as error:
            if error.key not in [claim.key for claim in claims]:
                raise
            raise StaleRevision(error.key, error.found) from None

    async def store_each(self, plans: Sequence[Plan], *, fence: Fence | None) -> set[str]:
        """Writes the plans, which do not depend on each other, in as few transactions as possible.

        Returns the uids of the objects that could not be written, because they have changed or are referred to.
        """
        planned = [(plan.outcome, plan.write) for plan in plans if plan.write is not None]
        failures = await write_each(self._services.store, [write for _, write in planned], fence=fence)
        failed = {failure.write.uid for failure in failures}
        self._follow_up([outcome for outcome, write in planned if write.uid not in failed])
        return failed

    def _follow_up(self, outcomes: Sequence[StoredObject]) -> None:
        """What is on its way out may take other objects with it."""
        for outcome in outcomes:
            if outcome.key.resource == NAMESPACES and outcome.deleting:
                self._namespaces.wake(outcome.key.name)
        self._services.written(outcomes)


def _claims_of(plans: Sequence[Plan]) -> list[Write]:
    """What the plans claim; raises `Conflict` when two want the same."""
    claims = [claim for plan in plans if plan.write is not None for claim in plan.claims]
    if len({claim.key for claim in claims}) < len(claims):
        raise Conflict(f"two objects of the transaction want to be the one {claims[0].key.name}; only one can")
    return claims
