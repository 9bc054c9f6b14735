"""What the agent makes of a list of objects that follows another one."""

from __future__ import annotations

import pytest

from agent.cluster.identity import KindName, ObjectName
from agent.observation.events import Events
from agent.observation.instances import Instance, instance_of
from agent.observation.objects import Objects, Sight, condense
from agent.reporting.report import GRACE, make_report
from threeport.kube.health.verdict import Verdict

JOB = ObjectName("batch/v1", "Job", "ns", "migrate")


def heard(digest: str, *, now: float, former: Instance | None = None) -> Instance:
    item = {"apiVersion": "batch/v1", "kind": "Job", "namespace": "ns", "name": "migrate", "applied": digest}
    reference = {"namespace": "default", "name": "app", "uid": "i"}
    found = instance_of({"spec": {"instance": reference, "appliedHash": digest, "resources": [item]}}, now=now)
    return found.after(former)


@pytest.mark.parametrize(("digest", "health"), [("one", "Down"), ("another", "Progressing")])
def test_how_a_job_ended_says_nothing_of_the_one_that_follows_under_its_name(digest: str, health: str) -> None:
    objects = Objects(lambda uid: None)
    for kind in (JOB.of_kind, KindName("v1", "Pod")):
        objects.set_sight(kind, Sight.COMPLETE)
    app = heard(digest, now=100.0, former=heard("one", now=0.0))
    events, ended = Events(lambda uid: None), {JOB: Verdict("Down", "BackoffLimitExceeded")}
    finding = make_report("runtime", app, objects, events, now=101.0, clock=0.0, ended=ended)
    assert finding.spec.health == health
    assert finding.complete == (health == "Down")


def test_the_same_objects_are_awaited_no_longer_than_they_were() -> None:
    first = heard("one", now=0.0)
    assert heard("one", now=GRACE, former=first).known_since == 0.0
    assert heard("two", now=GRACE, former=first).known_since == GRACE


CONFIG = ObjectName("v1", "ConfigMap", "ns", "config")


def applied(digest: str, former: Instance | None = None) -> Instance:
    """An instance whose only object was applied from the manifest of this digest."""
    item = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "ns", "name": "config", "digest": digest}
    reference = {"namespace": "default", "name": "app", "uid": "i"}
    spec = {"instance": reference, "appliedHash": digest, "resources": [item]}
    return instance_of({"spec": spec}, now=0.0).after(former)


def seen(digest: str) -> Objects:
    """A cluster in which that object was seen as this manifest made it."""
    objects = Objects(lambda uid: None)
    for kind in (CONFIG.of_kind, KindName("v1", "Pod"), KindName("apps/v1", "ReplicaSet")):
        objects.set_sight(kind, Sight.COMPLETE)
    metadata = {"name": "config", "namespace": "ns", "uid": "u", "labels": {"threeport.io/workload-instance": "i"},
                "annotations": {"threeport.io/applied": digest}}  # fmt: skip
    objects.put(condense(CONFIG.of_kind, {"metadata": metadata}))
    return objects


@pytest.mark.parametrize(
    ("digest", "health"),
    [("1", "Progressing"), ("2", "Progressing"), ("3", "Healthy"), ("of a failed update", "Healthy"), ("", "Healthy")],
)
def test_an_object_that_is_seen_as_it_was_before_says_nothing_of_what_was_applied_last(
    digest: str, health: str
) -> None:
    app = applied("3", applied("2", applied("1")))
    finding = make_report("runtime", app, seen(digest), Events(lambda uid: None), now=0.0, clock=0.0)
    assert (finding.spec.applied_hash, finding.spec.health) == ("3", health)
    assert finding.complete == (health == "Healthy")


def test_who_goes_back_is_as_before_at_once_and_who_has_seen_all_forgets_what_was() -> None:
    app = applied("1", applied("2", applied("1")))
    assert app.outdated == {CONFIG: frozenset({"2"})}
    assert app.settled().outdated == {}
    assert applied("3", app.settled()).outdated == {CONFIG: frozenset({"1"})}
