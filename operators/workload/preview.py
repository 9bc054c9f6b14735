"""WorkloadPreview: what a change would do in the cluster of an instance. The cluster is asked, and not changed.

A preview is answered once. What keeps it from being answered is said in its `Ready` condition instead of being waited
for: whoever asks waits for the answer, and asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from operators.workload.desired import desired_of
from operators.workload.drift import policy_of, seconds_of, under_policy
from operators.workload.foresight import CREATE, PRUNE, STAND_IN_NAMESPACE, UNCHANGED, Foresight
from operators.workload.inventory import id_of, inventory_of, item_of
from operators.workload.keeping import Holdings, shared_among
from operators.workload.kinds import INSTANCE, PREVIEW
from operators.workload.observation import observe
from operators.workload.placement import Place, definition_of, place_left, place_of
from operators.workload.plan import Live, Plan, make_plan
from operators.workload.preview_text import bounded, summary_of, with_nameless_namespace
from operators.workload.redaction import Redaction
from operators.workload.rendering import Desired, managed_namespace, scopes_from_definitions
from operators.workload.replacement import may_replace
from operators.workload.revisions import at_revision, generation_of, is_manual, wanted_revision
from threeport.common.errors import NotFound, RequestTooLarge
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, Truth, condition, set_condition
from threeport.controller.controller import Controller
from threeport.controller.cycle import Refused, Waiting
from threeport.controller.status import write_status
from threeport.kube.errors import ClusterError, ClusterUnreachable
from threeport.kube.ordering import in_reverse

LONGEST_LIFE: Final = 3600.0
"""Seconds."""

UNKNOWN_RULES: Final = (
    f"what goes into it is checked in {STAND_IN_NAMESPACE}, without the quotas and rules that it may get"
)
"""Said of a namespace that is yet to be made."""
HOLDS_OURS: Final = "has left the definition and stays, since other objects of the workload would go with it"

_PROPOSED: Final = ("definitionRef", "runtimeRef", "definitionRevision", "patches", "driftPolicy")
"""Fields of an instance that a proposal gives, or leaves empty."""
_NAMED: Final = 5
"""How many fields a message names."""


class _Answer(NamedTuple):
    """What goes into the status, and the condition that says how it went."""

    ready: Truth
    reason: str
    message: str
    content: JsonObject


async def answer_preview(controller: Controller, seen: FrozenJson) -> str:
    """Answers a preview, unless it has been. Returns the sentence of the cycle."""
    metadata = seen["metadata"]
    try:
        preview = await controller.client.get(PREVIEW, metadata["name"], metadata["namespace"], reveal=True)
    except NotFound:
        return "is gone"
    if preview["metadata"]["uid"] != metadata["uid"] or preview["metadata"].get("deletionTimestamp"):
        return "is gone, or going"
    if _is_answered(preview):
        return "has been answered"
    try:
        answer = await _answer(controller, preview)
    except (Waiting, Refused, ClusterError) as error:
        answer = _Answer("False", error.reason, str(error), {})
    try:
        await _write(controller, seen, preview, answer)
    except RequestTooLarge:
        why = "what it found does not fit into one object together with the proposal; preview a part of the application"
        await _write(controller, seen, preview, _Answer("False", "TooLarge", why, {}))
    return answer.message


def seconds_left(preview: FrozenJson) -> float:
    """How long a preview is kept yet."""
    created = datetime.fromisoformat(preview["metadata"]["creationTimestamp"])
    life = min(seconds_of(preview["spec"].get("ttl") or "10m"), LONGEST_LIFE)
    return life - (datetime.now(UTC) - created).total_seconds()


async def expire(controller: Controller, preview: FrozenJson) -> None:
    """Deletes a preview whose time is over."""
    metadata = preview["metadata"]
    try:
        await controller.client.delete(PREVIEW, metadata["name"], metadata["namespace"], uid=metadata["uid"])
    except NotFound:
        return


async def _answer(controller: Controller, preview: JsonObject) -> _Answer:
    instance, is_new = await _proposed_instance(controller, preview)
    definition = await _proposed_definition(controller, preview, instance)
    place = await place_of(controller, instance)
    desired = await desired_of(place, definition, instance)
    former = (instance.get("status") or {}).get("runtime")
    stays = former in (None, place.runtime)
    inventory = inventory_of(instance.get("status")) if stays else []
    uid = instance["metadata"]["uid"]
    live = await observe(place.cluster, [*desired.manifests, *inventory], uid)
    settled = stays and (instance.get("status") or {}).get("appliedHash") == desired.digest
    policy = policy_of(instance)
    plan = under_policy(make_plan(desired.manifests, live, inventory, settled=settled), policy)
    foresight = Foresight(
        cluster=place.cluster,
        live=live,
        uid=uid,
        is_new=is_new,
        replaces=may_replace(definition),
        brought_kinds=scopes_from_definitions(desired.manifests).keys(),
        redaction=Redaction(),
    )
    resources = await _foreseen(foresight, plan, desired, policy)
    if not stays:
        resources += await _left_behind(controller, str(former), instance)
    namespace = desired.namespace
    if is_new and namespace == managed_namespace(instance["metadata"]["name"], uid):
        resources, namespace = with_nameless_namespace(resources, namespace), None
    return _told(place, namespace, resources)


def _told(place: Place, namespace: str | None, resources: Sequence[JsonObject]) -> _Answer:
    shown, truncated = bounded(resources)
    content = {"runtime": place.runtime, "namespace": namespace, "resources": shown, "truncated": truncated}
    reason = "PreviewedWithErrors" if any(one.get("error") for one in resources) else "Previewed"
    return _Answer("True", reason, summary_of(resources), content)


async def _foreseen(foresight: Foresight, plan: Plan, desired: Desired, policy: str) -> list[JsonObject]:
    """What would become of every object, in the order of applying, then of pruning."""
    asked: list[JsonObject] = await asyncio.gather(*(foresight.of(manifest) for manifest in plan.apply))
    told = {id_of(one): one for one in asked}
    filled = {manifest["metadata"].get("namespace") for manifest in desired.manifests}
    found: list[JsonObject] = []
    for manifest in desired.manifests:
        identity = id_of(item_of(manifest))
        one = told.get(identity) or {**item_of(manifest), "action": UNCHANGED}
        fields = plan.drifted.get(identity)
        if fields is not None and not one.get("message"):
            how = f"was changed by others: {', '.join(fields[:_NAMED])}" if fields else "was removed by others"
            if identity not in told:
                one["message"] = f"{how}; spec.driftPolicy {policy} leaves it so"
            elif one["action"] != UNCHANGED:
                one["message"] = how.partition(":")[0]
        if one["action"] == CREATE and manifest["kind"] == "Namespace" and manifest["metadata"]["name"] in filled:
            one.setdefault("message", UNKNOWN_RULES)
        found.append(one)
    for unknown in desired.unknown:
        error = f"the cluster knows no kind {unknown['kind']} in {unknown['apiVersion']}"
        found.append(item_of(unknown) | {"action": CREATE, "error": error})
    found += [{**item, "action": UNCHANGED, "message": HOLDS_OURS} for item in plan.kept]
    holdings = Holdings(cluster=foresight.cluster, uid=foresight.uid, inventory=plan.prune)
    return found + await _pruned(holdings, plan.prune, foresight.live)


async def _left_behind(controller: Controller, runtime: str, instance: FrozenJson) -> list[JsonObject]:
    """What an instance that moves takes with it out of the runtime that it leaves."""
    inventory = inventory_of(instance.get("status"))
    uid = instance["metadata"]["uid"]
    try:
        place = await place_left(controller, runtime)
        if place is None:
            return []
        live = await observe(place.cluster, inventory, uid)
    except ClusterUnreachable:
        error = f"runtime {runtime} cannot be reached; the move waits until it can"
        return [item | {"action": PRUNE, "runtime": runtime, "error": error} for item in in_reverse(inventory)]
    leaving = in_reverse([item for item in inventory if id_of(item) in live])
    holdings = Holdings(cluster=place.cluster, uid=uid, inventory=inventory)
    return [one | {"runtime": runtime} for one in await _pruned(holdings, leaving, live)]


async def _pruned(holdings: Holdings, items: Sequence[FrozenJson], live: Live) -> list[JsonObject]:
    shared = await shared_among(holdings, items, live)
    found: list[JsonObject] = []
    for item in items:
        identity = id_of(item)
        one = {**item, "action": UNCHANGED if identity in shared else PRUNE}
        if identity in shared:
            one["message"] = shared[identity]
        elif live[identity]["metadata"].get("deletionTimestamp"):
            one["message"] = "is being deleted already"
        found.append(one)
    return found


async def _proposed_instance(controller: Controller, preview: FrozenJson) -> tuple[JsonObject, bool]:
    """The instance as it would be, and whether it is a new one."""
    metadata, spec = preview["metadata"], preview["spec"]
    name, namespace = spec["instanceRef"]["name"], spec["instanceRef"].get("namespace") or metadata["namespace"]
    found, proposed = await controller.client.find(INSTANCE, name, namespace), spec.get("instance")
    if proposed is None:
        if found is None:
            raise Refused("ReferenceNotFound", f"WorkloadInstance {namespace}/{name} does not exist; propose its spec")
        return found, False
    given = {field: proposed.get(field) for field in _PROPOSED}
    if found is None:
        # The uid stands for one that the instance does not have yet: nothing in the cluster carries it.
        return {"metadata": {"name": name, "namespace": namespace, "uid": metadata["uid"]}, "spec": given}, True
    return {**found, "spec": {**found["spec"], **given}}, False


async def _proposed_definition(controller: Controller, preview: FrozenJson, instance: FrozenJson) -> JsonObject:
    proposed = preview["spec"].get("definition")
    if proposed is not None:
        return {"metadata": {"name": instance["spec"]["definitionRef"]["name"]}, "spec": proposed}
    latest = await definition_of(controller, instance)
    # Where no person decides it is advanced, whatever revision it still names.
    revision = wanted_revision(instance, latest) if is_manual(latest) else generation_of(latest)
    return await at_revision(controller, latest, revision)


async def _write(controller: Controller, seen: FrozenJson, preview: FrozenJson, answer: _Answer) -> None:
    """Writes the answer. No Event tells of it: nothing has happened."""
    generation = preview["metadata"].get("generation")

    def change(status: JsonObject, _: FrozenJson) -> None:
        told: dict[str, Any] = dict.fromkeys(("runtime", "namespace", "resources", "truncated"))
        status.update(told | answer.content, observedGeneration=generation)
        set_condition(status, READY, answer.ready, reason=answer.reason, message=answer.message, generation=generation)

    await write_status(controller.client, PREVIEW, seen, change)


def _is_answered(preview: FrozenJson) -> bool:
    status = preview.get("status") or {}
    ready = condition(status, READY)
    return ready is not None and status.get("observedGeneration") == preview["metadata"].get("generation")
