"""What the API has been told of an instance, small enough to keep for all of them, and whether there is news."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from agent.cluster.identity import ObjectName
from agent.observation.kinds import JOB
from threeport.kube.health.batch import SUSPENDED
from threeport.kube.health.verdict import Verdict
from threeport.resources.workload import WorkloadReportSpec

REPETITIONS: Final = 30.0
"""Seconds at least until it is told how often what is known has happened meanwhile."""

DETAILS: Final = 5.0
"""Seconds at least until more is told of an instance that is still as it was: of fifty pods that come one after the
other, say. Each report costs the agent, the API and the controller several requests."""


class Told(NamedTuple):
    """A report reduced to what a comparison needs."""

    standing: tuple[str, str | None, int | None]
    """The health, and what it is the health of: the digest of what was applied, and the generation of the instance."""
    digest: str
    """Of everything but the events."""
    events: frozenset[tuple[str, int]]
    """Uid and count of each event."""
    ended: Mapping[ObjectName, Verdict]
    """How Jobs have ended. One that Kubernetes has removed since cannot be asked any more."""


def told_of(spec: WorkloadReportSpec) -> Told:
    """Reduces a report; equal reports give equal results whichever way their absent fields are written."""
    state = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"events"})
    digest = hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).hexdigest()
    standing = spec.health, spec.applied_hash, spec.instance_generation
    return Told(standing, digest, frozenset((event.uid, event.count) for event in spec.events), _ended(spec))


def _ended(spec: WorkloadReportSpec) -> dict[ObjectName, Verdict]:
    return {
        ObjectName(one.api_version, one.kind, one.namespace or "", one.name): Verdict(one.health, one.message)
        for one in spec.resources
        if one.kind == JOB.kind
        and (one.message != SUSPENDED if one.health == "Healthy" else one.health == "Down")
        and not one.message.startswith("missing")
    }


def is_news(new: Told, old: Told | None) -> bool:
    """Whether the report has to be written. Events that the cluster has forgotten since are no news."""
    return old is None or new.digest != old.digest or not new.events <= old.events


def patience_with(new: Told, old: Told | None) -> float:
    """Seconds that have to lie between the report of what is `old` and that of what is `new`."""
    if old is None or new.standing != old.standing:
        return 0.0
    return REPETITIONS if _is_mere_repetition(new, old) else DETAILS


def _is_mere_repetition(new: Told, old: Told) -> bool:
    """Whether all that is new is how often something has happened: a probe that goes on failing."""
    return new.digest == old.digest and {uid for uid, _ in new.events} <= {uid for uid, _ in old.events}
