"""What to say of an instance: a pure function of what the agent has seen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from agent.cluster.identity import ObjectName
from agent.observation.events import Events
from agent.observation.instances import Instance
from agent.observation.kinds import UNWATCHED, watched_for
from agent.observation.objects import Objects, Seen, Sight
from agent.reporting.explaining import Explanations
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence, worst
from threeport.resources.model import Reference
from threeport.resources.workload import ResourceReport, WorkloadReportSpec

GRACE: Final = 10.0
"""Seconds that an object has to appear after the agent heard of it: watches of two kinds are not in step."""

UNSEEN: Final = Verdict("Progressing", "what was applied last has not been seen yet")

REMOVED: Final = Verdict("Healthy", "Kubernetes has removed it, as it does when it has ended (ttlSecondsAfterFinished)")

NONE_ENDED: Final[Mapping[ObjectName, Verdict]] = MappingProxyType({})


class Finding(NamedTuple):
    """The report of an instance."""

    spec: WorkloadReportSpec
    look_again: float | None
    """In how many seconds it may change without anything happening; None: never."""
    complete: bool
    """Whether every object has been seen as applied last: from then on one that is not there is missing at once."""
    foreseen: WorkloadReportSpec | None = None
    """Where an object still has a moment to appear: what will be said if it does not."""


def is_ready_to_report(instance: Instance, objects: Objects) -> bool:
    """Whether every kind of the instance has been looked at, and those that explain: before, a report would call
    missing what is not, and know only a part of the pods."""
    return all(objects.sight(kind) is not Sight.PENDING for kind in watched_for(instance.kinds))


def make_report(
    runtime: str,
    instance: Instance,
    objects: Objects,
    events: Events,
    *,
    now: float,
    clock: float,
    ended: Mapping[ObjectName, Verdict] = NONE_ENDED,
) -> Finding:
    """The report of `instance`; `now` is the monotonic clock in seconds, `clock` that of the day in seconds since the
    epoch, `ended` is what was last said of its Jobs."""
    finding = _make_report(runtime, instance, objects, events, now=now, clock=clock, ended=ended)
    if finding.look_again is None:
        return finding
    wait = finding.look_again
    later = _make_report(runtime, instance, objects, events, now=now + wait, clock=clock + wait, ended=ended)
    return finding._replace(foreseen=later.spec)


def _make_report(
    runtime: str,
    instance: Instance,
    objects: Objects,
    events: Events,
    *,
    now: float,
    clock: float,
    ended: Mapping[ObjectName, Verdict],
) -> Finding:
    members = {uid: seen.at(clock) for uid, seen in objects.of_instance(instance.uid).items()}
    unsteady = {uid: seen.unsteady_for(clock) for uid, seen in members.items() if seen.unsteady_for(clock)}
    explanations = Explanations(members, set(instance.resources), events, unsteady=unsteady)
    grace_left = max(0.0, instance.known_since + GRACE - now)
    verdicts: list[tuple[ObjectName, Verdict, Seen | None]] = []
    missing = outdated = False
    for name in instance.resources:
        found, sight = objects.find(name), objects.sight(name.of_kind)
        seen = members.get(found.uid) if found is not None else None
        if seen is not None and sight is Sight.COMPLETE:
            is_outdated = seen.digest in instance.outdated.get(name, ())
            outdated = outdated or is_outdated
            verdicts.append((name, UNSEEN if is_outdated else explanations.of(seen), seen))
        elif (
            name in instance.ending
            and sight is Sight.COMPLETE
            and (name in ended and name not in instance.anew or not grace_left)
        ):
            verdicts.append((name, ended.get(name, REMOVED), None))
        else:
            missing = missing or name.of_kind not in UNWATCHED
            verdicts.append((name, _unseen(name, objects, in_grace=grace_left > 0), None))
    health, message = _rolled_up(verdicts)
    spec = WorkloadReportSpec(
        instance_ref=Reference(name=instance.name, namespace=instance.namespace),
        instance_uid=instance.uid,
        runtime_ref=Reference(name=runtime),
        instance_generation=instance.generation,
        applied_hash=instance.applied_hash,
        health=health,
        message=message,
        resources=[_resource_report(*verdict) for verdict in verdicts],
        events=events.newest(members),
    )
    waits = [*unsteady.values(), *([grace_left] if missing and grace_left > 0 else [])]
    return Finding(spec, min(waits, default=None), complete=not (missing or outdated))


def _resource_report(name: ObjectName, verdict: Verdict, seen: Seen | None) -> ResourceReport:
    return ResourceReport(
        api_version=name.api_version,
        kind=name.kind,
        namespace=name.namespace or None,
        name=name.name,
        health=verdict.health,
        message=verdict.message,
        generation=seen.generation if seen else None,
    )


def _unseen(name: ObjectName, objects: Objects, *, in_grace: bool) -> Verdict:
    sight = objects.sight(name.of_kind)
    if name.of_kind in UNWATCHED:
        return HEALTHY
    if sight is Sight.DENIED:
        return Verdict("Unknown", f"the agent has no right to watch {name.kind} in {name.api_version}")
    if sight is Sight.FAILING:
        why = sentence(f"the cluster cannot list {name.kind} in {name.api_version}", objects.why(name.of_kind))
        return Verdict("Unknown", why)
    if in_grace:
        return Verdict("Progressing", "has not appeared yet")
    if sight is Sight.ABSENT:
        return Verdict("Down", f"missing: the cluster knows no kind {name.kind} in {name.api_version}")
    return Verdict("Down", "missing")


def _rolled_up(verdicts: list[tuple[ObjectName, Verdict, Seen | None]]) -> Verdict:
    """The worst of the parts, said of the first that is so, with how many others are not healthy either."""
    if not verdicts:
        return Verdict("Unknown", "nothing has been applied yet")
    summary = worst(verdict for _, verdict, _ in verdicts)
    if summary.health == "Healthy":
        return HEALTHY
    name = next(name for name, verdict, _ in verdicts if verdict.severity == summary.severity)
    others = sum(verdict.health != "Healthy" for _, verdict, _ in verdicts) - 1
    more = f" (and {others} more not healthy)" if others else ""
    return Verdict(summary.health, f"{name.kind}/{name.name}: {summary.message or summary.health}{more}")
