"""What the agent makes of a list of objects that follows another one."""

from __future__ import annotations

import pytest

from agent.cluster.identity import KindName, ObjectName
from agent.observation.events import Events
from agent.observation.instances import Instance, instance_of
from agent.observation.objects import Objects, Sight
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
