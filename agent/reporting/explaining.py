"""Why an object is not well: by the pods that are there on its behalf, and by what Kubernetes complains of."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from agent.cluster.identity import ObjectName
from agent.observation.events import Events
from agent.observation.kinds import CRON_JOB, JOB
from agent.observation.objects import Seen
from threeport.kube.health.batch import SUSPENDED
from threeport.kube.health.deletion import is_on_its_way_out
from threeport.kube.health.verdict import Verdict, sentence, worst

LOST_READINESS: Final = ("Unhealthy", "NodeNotReady")
"""Reasons of Events about a probe that fails and a node that is silent: the status of the pod says no more than that
it is not ready."""

AWAITING_POD: Final = "WaitForFirstConsumer"
"""The reason of the Event about a claim that is bound when a pod wants it, as its storage class says."""


class Explanations:
    """What is to be said of the objects of one instance. `members` are they, and what runs on their behalf, by uid, as
    they are now; `named` are the objects that belong to the instance; `unsteady` are the uids of pods with a container
    that has only just started again."""

    def __init__(
        self,
        members: Mapping[str, Seen],
        named: Collection[ObjectName],
        events: Events,
        *,
        unsteady: Collection[str],
    ) -> None:
        self._members = members
        self._events = events
        self._runs = _last_runs(members, named)
        self._tops = {*named, *(run.name for run in self._runs.values())}
        self._causes = self._causes_of(members.values())
        self._restarts = self._causes_of([members[uid] for uid in unsteady])

    def of(self, seen: Seen) -> Verdict:
        """What is to be said of the object.

        A Deployment that waits for pods is explained by the pod that cannot start; while some serve, it is Degraded.
        One that does not wait has causes only if containers of it have only just started again.
        """
        if seen.name.of_kind == CRON_JOB:
            return self._of_cron_job(seen)
        causes = (self._restarts if seen.verdict.health == "Healthy" else self._causes).get(seen.uid)
        if not causes:
            return self._with_complaint(seen)
        cause = worst(sorted(causes))  # not the one heard of first: that may be another after a restart
        if _has_given_up(seen):
            return Verdict("Down", sentence(seen.verdict.message, cause.message))
        if not cause.is_trouble or (seen.verdict.is_trouble and seen.verdict.severity > cause.severity):
            return Verdict(seen.verdict.health, cause.message)
        return Verdict("Degraded" if seen.available or _may_end_well(seen) else cause.health, cause.message)

    def _of_cron_job(self, seen: Seen) -> Verdict:
        """Its last run tells why it has not succeeded, or that it cannot: that one is still active changes nothing."""
        run = self._runs.get(seen.uid)
        why = self.of(run) if run is not None else None
        if run is None or why is None or not why.is_trouble or seen.verdict.message == SUSPENDED:
            return seen.verdict
        if seen.verdict.is_trouble:
            return Verdict(seen.verdict.health, sentence(seen.verdict.message, why.message))
        return seen.verdict if _has_given_up(run) else Verdict("Degraded", why.message)

    def _causes_of(self, suspects: Collection[Seen]) -> dict[str, list[Verdict]]:
        """What pods and ReplicaSets suffer from, by the uid of the object on whose behalf they are there."""
        found: dict[str, list[Verdict]] = {}
        for seen in suspects:
            verdict = self._with_complaint(seen)
            owner = self._above(seen) if seen.verdict.is_trouble or verdict != seen.verdict else None
            if owner is not None and (not seen.ended or _has_given_up(owner)):
                found.setdefault(owner.uid, []).append(_as_cause(seen, verdict))
        return found

    def _above(self, seen: Seen) -> Seen | None:
        """The object that it is there for; None for what is itself such an object, or is there for nobody known."""
        if seen.name in self._tops:
            return None
        owner = self._members.get(seen.owner)
        while owner is not None and owner.name not in self._tops:
            owner = self._members.get(owner.owner)
        return owner

    def _with_complaint(self, seen: Seen) -> Verdict:
        """What is under way for a reason that only an Event tells: a quota, a volume, a probe that fails."""
        if seen.verdict.health == "Progressing" and self._events.newest_reason(seen.uid) == AWAITING_POD:
            return Verdict("Healthy", "no pod has asked for it yet")
        complaint = self._events.complaint(seen.uid)
        if complaint is None or is_on_its_way_out(seen.verdict):
            return seen.verdict
        explains = seen.verdict.health == "Progressing"
        if explains or (seen.verdict.health == "Degraded" and complaint.reason in LOST_READINESS):
            return Verdict(seen.verdict.health, sentence(complaint.reason, complaint.message))
        return seen.verdict


def _as_cause(seen: Seen, verdict: Verdict) -> Verdict:
    """The same said of the owner: where it is of the one object that goes, that is named."""
    going = is_on_its_way_out(verdict)
    return Verdict(verdict.health, f"{seen.name.kind}/{seen.name.name} {verdict.message}") if going else verdict


def _last_runs(members: Mapping[str, Seen], named: Collection[ObjectName]) -> dict[str, Seen]:
    """The last Job of each CronJob by the uid of that. Its name tells its time, in minutes since the epoch.

    What people start by hand is named as they like, and does not count.
    """
    found: dict[str, Seen] = {}
    for seen in members.values():
        owner = members.get(seen.owner)
        if seen.name.of_kind != JOB or owner is None or owner.name not in named:
            continue
        former = found.get(owner.uid)
        if _minute(seen, owner) > (_minute(former, owner) if former is not None else -1):
            found[owner.uid] = seen
    return found


def _minute(job: Seen, cron_job: Seen) -> int:
    match = re.fullmatch(rf"{re.escape(cron_job.name.name)}-(\d+)", job.name.name)
    return int(match[1]) if match else -1


def _has_given_up(seen: Seen) -> bool:
    """Whether this is a Job whose pods have failed too often: nothing replaces them, so they explain it."""
    return seen.name.of_kind == JOB and seen.verdict.health == "Down"


def _may_end_well(seen: Seen) -> bool:
    """Whether this is a Job that still tries: only one that has given up is Down."""
    return seen.name.of_kind == JOB and seen.verdict.health == "Progressing"
