"""WorkloadInstance: one cycle of observe, compare, act once, and say what came of it.

Every step can be the last one before a crash. What is about to be put into the cluster stands in the inventory
before it is put there, and leaves the inventory after it is gone, so nothing is ever lost sight of.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from operators.workload.abandoning import abandon
from operators.workload.agent_object import tell_agent
from operators.workload.applying import Applier, apply_all
from operators.workload.desired import desired_of
from operators.workload.drift import CORRECT, DRIFTED, describe, policy_of, put_drift, under_policy
from operators.workload.health import REASONS, assess, put_verdict, report_on, tell
from operators.workload.inventory import applied_item_of, inventory_of, item_of, united, without
from operators.workload.keeping import Holdings
from operators.workload.kinds import INSTANCE
from operators.workload.observation import NOTHING, look_at
from operators.workload.placement import Place, definition_of, place_left, place_of
from operators.workload.plan import Plan, make_plan
from operators.workload.rendering import Desired
from operators.workload.replacement import BeingReplaced, gathered, may_replace
from operators.workload.revisions import at_revision, ensure_kept, is_left_behind, wanted_revision
from operators.workload.teardown import forget, pace_of_waiting, take_out
from operators.workload.wakeups import ask_to_be_advanced
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition
from threeport.controller.controller import Controller
from threeport.controller.cycle import Refused, Waiting
from threeport.controller.events import record_event
from threeport.controller.status import write_status
from threeport.kube.errors import ClusterError, KindUnknown
from threeport.resources.annotations import ABANDON
from threeport.resources.manifests import ObjectId


class _Outdated(Exception):
    """What a cycle knows of its instance is not its newest state."""


MEANWHILE: Final = 5.0
"""Seconds, at most, until a cycle that found something changed meanwhile begins anew, however often the instance has
waited for something else before."""

AWAY: Final = 45.0
"""Seconds, at most, between attempts to take an instance out of a cluster that did not let us."""


async def reconcile_instance(controller: Controller, seen: FrozenJson) -> str:
    """One cycle. `seen` may be an old copy. Returns the sentence of the cycle; raises `Waiting`, `Refused`,
    `ClusterError` or `ApiError` where it could not finish.

    Of an instance that nobody has looked at yet no newer copy is asked for: that the intent can be written on top of
    this one shows that it is the newest.
    """
    if not seen.get("status"):
        try:
            return await _cycle(controller, seen)
        except _Outdated:
            pass
    metadata = seen["metadata"]
    instance = await controller.client.find(INSTANCE, metadata["name"], metadata["namespace"])
    if instance is None or instance["metadata"]["uid"] != metadata["uid"]:
        return "is gone"
    try:
        return await _cycle(controller, instance)
    except _Outdated:
        raise Waiting("Changed", "the instance has changed meanwhile", first=0.1, longest=MEANWHILE) from None


async def _cycle(controller: Controller, instance: FrozenJson) -> str:
    """One cycle on what is known of the instance. Raises `_Outdated` if that is not the newest, before it acts."""
    metadata = instance["metadata"]
    if metadata.get("deletionTimestamp"):
        return "is being deleted"
    is_begun = (instance.get("status") or {}).get("definitionGeneration") is not None
    latest = await definition_of(controller, instance, remembered=not is_begun)
    revision = wanted_revision(instance, latest)
    if is_left_behind(instance, latest):
        await ask_to_be_advanced(controller, instance, latest)
    await ensure_kept(controller, latest, revision)
    try:
        definition = await at_revision(controller, latest, revision)
        place = await place_of(controller, instance)
        known = await _leave_former_place(controller, instance, place)
        desired = await desired_of(place, definition, instance)
    except (Refused, Waiting):
        if not is_begun:
            await _expect_unchanged(controller, instance, latest)
        raise
    intended = await _persist_intent(controller, known, place, desired, revision) if known is not None else None
    if intended is None:
        return "is gone"
    if not is_begun:
        await _expect_unchanged(controller, instance, latest)
    inventory = inventory_of(intended["status"])
    # What was never intended to be there is not there: a new instance needs no look at its cluster.
    begun = inventory_of(instance.get("status"))
    sight = await look_at(place.cluster, [*desired.manifests, *inventory], metadata["uid"]) if begun else NOTHING
    seen = [manifest for manifest in desired.manifests if Plan.identity(manifest) not in sight.hidden]
    settled = intended["status"].get("appliedHash") == desired.digest
    policy = policy_of(instance)
    plan = under_policy(make_plan(seen, sight.live, inventory, settled=settled), policy)
    if plan.drifted and policy == CORRECT:
        await _tell_of_drift(controller, instance, f"Changed by others, and being put right: {describe(plan)}")
    applier = Applier(
        cluster=place.cluster,
        live=sight.live,
        uid=metadata["uid"],
        check_lease=controller.check_lease,
        replaces=may_replace(latest),
        hidden=list(dict.fromkeys(sight.hidden.values())),
    )
    await _carry_out(controller, intended, applier, plan, desired)
    await tell_agent(place, instance, desired, is_new=not begun)
    return await _settle(controller, intended, revision, place, desired, plan)


async def remove_instance(controller: Controller, seen: FrozenJson) -> str:
    """One cycle of deletion. Returns its sentence when all is gone; raises `Waiting` while something remains."""
    metadata = seen["metadata"]
    instance = await controller.client.find(INSTANCE, metadata["name"], metadata["namespace"])
    if instance is None or instance["metadata"]["uid"] != metadata["uid"]:
        return "is gone"
    status = instance.get("status") or {}
    inventory = inventory_of(status)
    if not inventory:
        return "put nothing into a cluster; deleted"
    runtime = str(status.get("runtime") or "")
    if (metadata.get("annotations") or {}).get(ABANDON) == "true":
        return await abandon(controller, instance, runtime, inventory)
    if not runtime or not await _tear_down(controller, runtime, instance, inventory):
        return f"its runtime {runtime} is gone, and with it all that it held; deleted"
    return f"took {len(inventory)} objects out of runtime {runtime}; deleted"


async def _tear_down(
    controller: Controller, runtime: str, instance: FrozenJson, inventory: Sequence[FrozenJson]
) -> bool:
    """Whether all is out of the runtime; False if that is gone itself. Raises `Waiting` while something remains."""
    metadata = instance["metadata"]
    try:
        place = await place_left(controller, runtime)
        if place is None:
            return False
        holdings = Holdings(cluster=place.cluster, uid=metadata["uid"], inventory=inventory)
        remains = await _take_out(controller, instance, holdings)
        if not remains:
            await forget(place.cluster, metadata["name"], metadata["uid"])
    except ClusterError as error:
        raise Waiting(
            error.reason,
            f"cannot be taken out of runtime {runtime}: {error}. If that cluster is gone for good: "
            f"tptctl delete workloadinstance/{metadata['name']} -n {metadata['namespace']} --abandon"
            + ("" if metadata.get("deletionTimestamp") else ", and then apply it again"),
            longest=AWAY,
        ) from None
    if remains:
        pace = pace_of_waiting(metadata.get("deletionTimestamp"))
        raise Waiting("Deleting", f"waits for the deletion of {remains}", first=pace, longest=pace)
    return True


async def _leave_former_place(controller: Controller, instance: FrozenJson, place: Place) -> FrozenJson | None:
    """An instance that moves to another runtime is first taken out of the one that it leaves.

    Returns the instance as it then is, or None if it is gone. Raises `_Outdated` if it is not as it was known.
    """
    status = instance.get("status") or {}
    former = status.get("runtime")
    if not former or former == place.runtime:
        return instance
    await _tear_down(controller, former, instance, inventory_of(status))

    def leave(status: JsonObject, seen: FrozenJson) -> None:
        if _identity_of(seen) != _identity_of(instance):
            raise _Outdated
        status.update(runtime=None, inventory=None, appliedHash=None, namespace=None)

    return await write_status(controller.client, INSTANCE, instance, leave)


async def _persist_intent(
    controller: Controller, instance: FrozenJson, place: Place, desired: Desired, revision: int
) -> JsonObject | None:
    """Notes all that will be in the cluster, beside all that is; writes nothing if it is noted already.

    From here on what was applied before is no longer whole: who goes back to it finds missing what is gone by then.
    The first time it notes the revision, too: who changes the definition from now on sees that it is in use.
    Raises `_Outdated`, and notes nothing, if the instance is not as it was known.
    """
    wanted = [item_of(manifest) for manifest in desired.manifests]

    def change(status: JsonObject, seen: FrozenJson) -> None:
        if _identity_of(seen) != _identity_of(instance):
            raise _Outdated
        former = inventory_of(status) if status.get("runtime") in (None, place.runtime) else []
        status["inventory"] = united(former, wanted)
        status["runtime"] = place.runtime
        status["namespace"] = desired.namespace
        if status.get("appliedHash") != desired.digest:
            status["appliedHash"] = None
        if status.get("definitionGeneration") is None:
            status["definitionGeneration"] = revision

    return await write_status(controller.client, INSTANCE, instance, change)


def _identity_of(instance: FrozenJson) -> tuple[object, ...]:
    """What a cycle rests upon: the state that was asked for, and what is noted of the last cycle."""
    metadata, status = instance["metadata"], instance.get("status") or {}
    of_cycles = [status.get(name) for name in ("inventory", "runtime", "appliedHash", "definitionGeneration")]
    return metadata["uid"], metadata.get("generation"), metadata.get("deletionTimestamp"), of_cycles


async def _expect_unchanged(controller: Controller, instance: FrozenJson, definition: FrozenJson) -> None:
    """A definition that changed before we noted that we use it has not told us so; from now on it does."""
    current = await definition_of(controller, instance)
    if any(current["metadata"].get(name) != definition["metadata"].get(name) for name in ("uid", "generation")):
        raise Waiting("DefinitionChanged", "the definition has changed meanwhile", first=0.1, longest=MEANWHILE)


async def _tell_of_drift(controller: Controller, instance: FrozenJson, message: str) -> None:
    await record_event(
        controller.client, instance, controller=controller.name, reason=DRIFTED, message=message, type="Warning"
    )


async def _tell_what_stays(controller: Controller, instance: FrozenJson, identity: ObjectId, message: str) -> None:
    reason = f"{identity.kind}Kept"
    await record_event(controller.client, instance, controller=controller.name, reason=reason, message=message)


async def _carry_out(
    controller: Controller, instance: FrozenJson, applier: Applier, plan: Plan, desired: Desired
) -> None:
    """Applies and prunes. Raises `Waiting` or `Refused` with all that went wrong; nothing is pruned then."""
    try:
        applied = await apply_all(applier, plan.apply)
    except ClusterError:
        await _note_what_ran(controller, instance, applier.done)
        raise
    await _note_what_ran(controller, instance, applier.done)
    if applied.replaced:
        message = f"Deleted and created anew: {'; '.join(applied.replaced)}"
        await record_event(controller.client, instance, controller=controller.name, reason="Replaced", message=message)
    failures = applied.failures
    if desired.unknown:
        kinds = sorted({f"{manifest['kind']} in {manifest['apiVersion']}" for manifest in desired.unknown})
        failures = [*failures, KindUnknown(f"the cluster does not know {', '.join(kinds)}, yet")]
    if failures:
        _raise(failures)
    if not plan.prune:
        return
    stays = [*map(item_of, desired.manifests), *plan.kept]
    left_out = without(inventory_of(instance["status"]), stays)
    holdings = Holdings(cluster=applier.cluster, uid=applier.uid, inventory=left_out)
    remains = await _take_out(controller, instance, holdings)
    if remains:
        raise Waiting("Pruning", f"applied; waits for the deletion of {remains}", first=1, longest=15)


async def _take_out(controller: Controller, instance: FrozenJson, holdings: Holdings) -> str:
    """Returns what remains, and why; an empty text when all is gone."""
    tell = partial(_tell_what_stays, controller, instance)
    return await take_out(holdings, check_lease=controller.check_lease, tell=tell)


async def _note_what_ran(controller: Controller, instance: FrozenJson, done: Sequence[FrozenJson]) -> None:
    """Notes Jobs that may be gone, since they have ended, when the cycle has to begin again, whatever it waits for
    from here on: else they ran with each try."""
    items = [item for item in map(applied_item_of, done) if item.get("applied")]

    def change(status: JsonObject, _: FrozenJson) -> None:
        status["inventory"] = united(items, inventory_of(status))

    if items:
        await write_status(controller.client, INSTANCE, instance, change)


def _raise(failures: Sequence[ClusterError]) -> None:
    """The first failure that only a person can mend decides, else the first one; the message names all.

    What is being replaced has to come back, whatever else is wrong.
    """
    failures = gathered(failures)
    said = list(dict.fromkeys(map(str, failures)))
    message = "; ".join(said[:3])
    if len(said) > 3:
        message += f"; and {len(said) - 3} more, which `tptctl diff` of this instance shows"
    if any(isinstance(failure, BeingReplaced) for failure in failures):
        raise Waiting(BeingReplaced.reason, message, first=1, longest=15)
    final = next((failure for failure in failures if not failure.temporary), None)
    if final is not None:
        raise Refused(final.reason, message)
    quick = all(isinstance(failure, KindUnknown) for failure in failures)
    raise Waiting(failures[0].reason, message, first=1 if quick else 5, longest=60 if quick else 300)


async def _settle(
    controller: Controller,
    instance: FrozenJson,
    revision: int,
    place: Place,
    desired: Desired,
    plan: Plan,
) -> str:
    """Shrinks the inventory to what is there, and says how the instance is by the agent's latest report."""
    report = await report_on(controller, instance, place.runtime)
    generation = instance["metadata"].get("generation")
    said: list[str] = []

    def change(status: JsonObject, seen: FrozenJson) -> None:
        status["inventory"] = [*map(applied_item_of, desired.manifests), *plan.kept]
        status["appliedHash"] = desired.digest
        status["definitionGeneration"] = revision
        status["observedGeneration"] = generation
        verdict = assess(status, seen["metadata"]["uid"], report)
        former = condition(status, READY)
        said[:] = [verdict.message]
        news[:] = [former is None or former.get("reason") not in {*REASONS} or former.get("reason") != verdict.reason]
        put_verdict(status, verdict, generation)
        drift_is_news[:] = [put_drift(status, plan, policy_of(instance))]

    news, drift_is_news = list[bool](), list[bool]()
    written = await write_status(controller.client, INSTANCE, instance, change)
    if written is not None and news[0]:
        await tell(controller, written, assess(written["status"], written["metadata"]["uid"], report))
    if written is not None and drift_is_news[0]:
        await _tell_of_drift(controller, written, f"Changed by others, and left so: {describe(plan)}")
    acts = f"applied {len(plan.apply)} of {len(desired.manifests)} objects" if plan.apply else "nothing to apply"
    pruned = f", deleted {len(plan.prune)}" if plan.prune else ""
    return f"{acts}{pruned} in runtime {place.runtime}: {said[0]}"
