"""Where kopf comes in: which change of which object starts which phase."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

import kopf

from operators.workload.composite import reconcile_workload, remove_workload
from operators.workload.definition import reconcile_definition
from operators.workload.drift import LONGEST_SLEEP, Pace
from operators.workload.health import REASONS, report_on, reported_instance, roll_up
from operators.workload.instance import reconcile_instance, remove_instance
from operators.workload.kinds import DEFINITION, INSTANCE, PREVIEW, REPORT, RUNTIME, WORKLOAD
from operators.workload.placement import runtime_name_of
from operators.workload.preview import answer_preview, expire, seconds_left
from operators.workload.wakeups import definition_edited, instance_changed, part_is_gone, runtime_is_ready
from operators.workload.word_of_agent import Told, hints_at_drift, is_lost, told_by
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import READY, condition, is_ready
from threeport.controller.controller import Controller, lock_of
from threeport.controller.cycle import run_cycle
from threeport.controller.waking import cause_of, wake_all

REPORT_INTERVAL: Final = 15.0
"""Seconds between looks at the report of an instance that is not Ready, in case that its event was missed."""

_OF_WORKLOADS: Final = (WORKLOAD.group, WORKLOAD.version, WORKLOAD.plural)
_OF_DEFINITIONS: Final = (DEFINITION.group, DEFINITION.version, DEFINITION.plural)
_OF_INSTANCES: Final = (INSTANCE.group, INSTANCE.version, INSTANCE.plural)
_OF_REPORTS: Final = (REPORT.group, REPORT.version, REPORT.plural)
_OF_PREVIEWS: Final = (PREVIEW.group, PREVIEW.version, PREVIEW.plural)
_OF_RUNTIMES: Final = (RUNTIME.group, RUNTIME.version, RUNTIME.plural)


@kopf.on.create(*_OF_WORKLOADS)
@kopf.on.update(*_OF_WORKLOADS)
@kopf.on.resume(*_OF_WORKLOADS)
async def deploy_workload(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Makes definition and instance of a Workload."""
    workload, controller = _plain(body), _controller(memo)
    async with lock_of(memo):
        await run_cycle(controller, WORKLOAD, workload, retry, partial(reconcile_workload, controller, workload))


@kopf.on.delete(*_OF_WORKLOADS)
async def delete_workload(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Deletes instance and definition of a Workload."""
    workload, controller = _plain(body), _controller(memo)
    async with lock_of(memo):
        await run_cycle(controller, WORKLOAD, workload, retry, partial(remove_workload, controller, workload))


@kopf.on.create(*_OF_DEFINITIONS)
@kopf.on.update(*_OF_DEFINITIONS)
@kopf.on.resume(*_OF_DEFINITIONS)
async def check_definition(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Checks a WorkloadDefinition and passes its changes on."""
    definition, controller = _plain(body), _controller(memo)
    await run_cycle(controller, DEFINITION, definition, retry, partial(reconcile_definition, controller, definition))


@kopf.on.create(*_OF_INSTANCES)
@kopf.on.update(*_OF_INSTANCES)
@kopf.on.resume(*_OF_INSTANCES)
async def apply_instance(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Puts a WorkloadInstance into its cluster."""
    await _reconcile_instance(body, memo, retry)


@kopf.on.delete(*_OF_INSTANCES)
async def delete_instance(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Takes a WorkloadInstance out of its cluster."""
    instance, controller = _plain(body), _controller(memo)
    async with lock_of(memo), controller.shares[runtime_name_of(instance)]:
        await run_cycle(controller, INSTANCE, instance, retry, partial(remove_instance, controller, instance))


@kopf.daemon(*_OF_INSTANCES)
async def watch_drift(body: kopf.Body, memo: kopf.Memo, stopped: kopf.DaemonStopped, **_: Any) -> None:
    """Looks at the cluster again and again, at the pace that the instance asks for."""
    pace, failures = Pace(), 0
    while not stopped:
        left = pace.left(body)
        if left > 0:
            await stopped.wait(min(left, LONGEST_SLEEP))
            continue
        try:
            await _reconcile_instance(body, memo, failures)
        except kopf.TemporaryError as error:
            failures += 1
            pace.looked(again=error.delay)
        except kopf.PermanentError:
            failures = 0
            pace.looked()
        else:
            failures = 0
            pace.looked()


def _may_become_ready(body: kopf.Body, **_: Any) -> bool:
    ready = condition(_plain(body).get("status"), READY)
    return ready is not None and ready.get("reason") in REASONS and not is_ready(_plain(body))


@kopf.timer(*_OF_INSTANCES, interval=REPORT_INTERVAL, initial_delay=REPORT_INTERVAL, when=_may_become_ready)
async def look_for_report(body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """Reads the report of an instance that is not Ready: the event about it may have been missed."""
    instance, controller = _plain(body), _controller(memo)
    report = await report_on(controller, instance, (instance.get("status") or {}).get("runtime"))
    await roll_up(controller, instance, report)


@kopf.on.create(*_OF_PREVIEWS)
@kopf.on.update(*_OF_PREVIEWS)
@kopf.on.resume(*_OF_PREVIEWS)
async def preview_change(body: kopf.Body, memo: kopf.Memo, retry: int, **_: Any) -> None:
    """Answers a WorkloadPreview."""
    preview, controller = _plain(body), _controller(memo)
    async with controller.shares[PREVIEW.resource]:
        await run_cycle(controller, PREVIEW, preview, retry, partial(answer_preview, controller, preview))


@kopf.daemon(*_OF_PREVIEWS)
async def expire_preview(body: kopf.Body, memo: kopf.Memo, stopped: kopf.DaemonStopped, **_: Any) -> None:
    """Deletes a WorkloadPreview when its time is over, whatever has become of who asked for it."""
    while not stopped and (left := seconds_left(_plain(body))) > 0:
        await stopped.wait(left)
    if not stopped:
        await expire(_controller(memo), _plain(body))


@kopf.index(*_OF_INSTANCES)
async def instances(body: kopf.Body, **_: Any) -> dict[str, JsonObject]:
    """The instances of this shard as they were seen last, by uid."""
    return {body["metadata"]["uid"]: _plain(body)}


@kopf.on.event(*_OF_REPORTS)
async def take_report(event: kopf.RawEvent, memo: kopf.Memo, **indices: Any) -> None:
    """Rolls a WorkloadReport up into its instance.

    Into the instance as it was seen last, which is its newest state if the roll-up can be written on top of it. If
    there is nothing to write, or another shard looks after the instance, it is asked for; but not of what was there
    when this controller began, since each of its instances has a cycle then, which reads the report.
    """
    controller, report = _controller(memo), _plain(event["object"])
    is_gone = event["type"] == "DELETED"
    known: kopf.Index[str, JsonObject] = indices["instances"]
    seen = next(iter(known.get((report.get("spec") or {}).get("instanceUid") or "", ())), None)
    instance = await roll_up(controller, seen, report, is_gone=is_gone) if seen is not None else None
    if instance is None and seen is not None and event["type"] is None:
        instance = seen
    elif instance is None:
        instance = await reported_instance(controller, report)
        if instance is not None:
            instance = await roll_up(controller, instance, report, is_gone=is_gone) or instance
    if instance is not None and not is_gone:
        await _compare_on_word(controller, instance, report, memo)
    elif instance is not None and is_lost(report, instance):
        await wake_all(controller.client, INSTANCE, [instance], cause=f"{cause_of(report)}/gone")


@kopf.on.event(*_OF_INSTANCES)
async def pass_on_instance(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """Shows the state of an instance in the Workload that owns it."""
    passing = part_is_gone if event["type"] == "DELETED" else instance_changed
    await passing(_controller(memo), _plain(event["object"]))


@kopf.on.event(*_OF_DEFINITIONS)
async def pass_on_definition(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """Has the Workload that owns a definition look at it if it has changed; at start the Workload does so itself."""
    definition = _plain(event["object"])
    generation, seen = definition["metadata"].get("generation"), memo.get("seen")
    memo.seen = generation
    if event["type"] == "DELETED":
        await part_is_gone(_controller(memo), definition)
    elif seen not in (None, generation):
        await definition_edited(_controller(memo), definition)


@kopf.on.event(*_OF_RUNTIMES)
async def pass_on_runtime(event: kopf.RawEvent, memo: kopf.Memo, logger: kopf.Logger, **_: Any) -> None:
    """Wakes what waits for a runtime when it becomes Ready, or is Ready after a change."""
    runtime = _plain(event["object"])
    ready = condition(runtime.get("status"), READY) or {}
    # With its time: kopf passes on the last of several changes, and between two times Ready somebody may have waited.
    since = (runtime["metadata"].get("generation"), ready.get("lastTransitionTime")) if is_ready(runtime) else None
    if since not in (None, memo.get("ready_since")) and event["type"] != "DELETED":
        woken = await runtime_is_ready(_controller(memo), runtime)
        if woken:
            logger.info("Runtime %s is ready: woke %d instances.", runtime["metadata"]["name"], woken)
    memo.ready_since = since


async def _reconcile_instance(body: kopf.Body, memo: kopf.Memo, retry: int) -> None:
    instance, controller = _plain(body), _controller(memo)
    async with lock_of(memo), controller.shares[runtime_name_of(instance)]:
        await run_cycle(controller, INSTANCE, instance, retry, partial(reconcile_instance, controller, instance))


async def _compare_on_word(controller: Controller, instance: FrozenJson, report: FrozenJson, memo: kopf.Memo) -> None:
    """Has the instance looked at, wherever it is looked after, if the report hints at drift; a little later if it has
    been looked at just now."""
    loop = asyncio.get_running_loop()
    former: Told | None = memo.get("told")
    told = told_by(report, former)
    if hints_at_drift(former, told, instance):
        told, pause = told.asking(loop.time())
        ask = partial(wake_all, controller.client, INSTANCE, [instance], cause=cause_of(report))
        if pause == 0:
            await ask()
        elif pause is not None:
            loop.call_later(pause, lambda: memo.update(asking=loop.create_task(ask())))
    memo.told = told


def _controller(memo: kopf.Memo) -> Controller:
    controller: Controller = memo.controller
    return controller


def _plain(body: FrozenJson) -> JsonObject:
    """The object as plain JSON, apart from kopf's live view of it."""
    return dict(body)
