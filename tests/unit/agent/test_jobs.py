"""What is said of Jobs: those that a CronJob makes, those that are stuck, and those that are gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.cluster.identity import KindName, ObjectName
from agent.observation.kinds import watched_for
from agent.observation.objects import KindSink
from agent.reporting.report import REMOVED, Finding, make_report
from agent.reporting.told import told_of
from tests.unit.agent.test_report import LATER, POD, PULL_FAILS, Scene, instance

JOB, CRON_JOB = KindName("batch/v1", "Job"), KindName("batch/v1", "CronJob")
AT = "2026-01-02T00:00:00Z"
ACTIVE = {"spec": {}, "status": {"lastScheduleTime": AT, "active": [{"name": "nightly-2"}]}}
FAILED = {"spec": {}, "status": {"lastScheduleTime": AT}}
GIVEN_UP = {"status": {"conditions": [
    {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"},
]}}  # fmt: skip
COMPLETE = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}


def exited(code: int) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": "Error"}}
    return {"status": {"phase": "Failed", "containerStatuses": [{"name": "main", "state": state}]}}


def nightly(cron_job: dict[str, Any]) -> Scene:
    scene = Scene(CRON_JOB, JOB)
    scene.put(CRON_JOB, "nightly", **cron_job)
    return scene


def said(scene: Scene) -> tuple[str, str]:
    resource = scene.report((CRON_JOB, "nightly")).spec.resources[0]
    return resource.health, resource.message


def test_jobs_are_watched_where_a_cron_job_makes_them() -> None:
    assert JOB in watched_for({CRON_JOB})
    assert JOB not in watched_for({KindName("v1", "ConfigMap")})


def test_a_cron_job_whose_run_cannot_start_is_not_well_though_it_is_active() -> None:
    scene = nightly(ACTIVE)
    scene.put(JOB, "nightly-2", owner="uid-nightly", spec={}, status={"active": 1})
    assert said(scene) == ("Healthy", "")
    scene.put(POD, "nightly-2-a", owner="uid-nightly-2", **PULL_FAILS)
    assert said(scene) == ("Degraded", "ImagePullBackOff: no")


def test_a_cron_job_whose_last_run_has_failed_says_how() -> None:
    scene = nightly(FAILED)
    scene.put(JOB, "nightly-10", owner="uid-nightly", **GIVEN_UP)
    scene.put(POD, "nightly-10-a", owner="uid-nightly-10", **exited(3))
    scene.put(JOB, "nightly-9", owner="uid-nightly", **GIVEN_UP)
    scene.put(POD, "nightly-9-a", owner="uid-nightly-9", **exited(1))
    assert said(scene) == ("Degraded", f"the run of {AT} has not succeeded: BackoffLimitExceeded: limit: exit code 3")


def test_a_run_that_failed_before_the_last_one_does_not_count() -> None:
    scene = nightly({"spec": {}, "status": {"lastScheduleTime": AT, "lastSuccessfulTime": "2026-01-02T00:00:09Z"}})
    scene.put(JOB, "nightly-1", owner="uid-nightly", **GIVEN_UP)
    scene.put(POD, "nightly-1-a", owner="uid-nightly-1", **exited(1))
    scene.put(JOB, "nightly-2", owner="uid-nightly", **COMPLETE)
    scene.put(JOB, "by-hand", owner="uid-nightly", **GIVEN_UP)
    assert said(scene) == ("Healthy", "")


def test_a_cron_job_that_is_suspended_is_as_wanted_whatever_its_last_run_does() -> None:
    scene = nightly({**ACTIVE, "spec": {"suspend": True}})
    scene.put(JOB, "nightly-2", owner="uid-nightly", spec={}, status={"active": 1})
    scene.put(POD, "nightly-2-a", owner="uid-nightly-2", **PULL_FAILS)
    assert said(scene) == ("Healthy", "suspended")


def test_a_job_that_cannot_start_is_not_taken_for_one_that_has_given_up() -> None:
    scene = Scene(JOB)
    scene.put(JOB, "migrate", spec={}, status={"active": 1})
    scene.put(POD, "migrate-1", owner="uid-migrate", **PULL_FAILS)
    spec = scene.report((JOB, "migrate")).spec
    assert (spec.health, spec.message) == ("Degraded", "Job/migrate: ImagePullBackOff: no")
    assert told_of(spec).ended == {}, "whether it succeeds when the image is there, nobody knows"


def test_a_job_that_is_suspended_has_not_ended() -> None:
    scene = Scene(JOB)
    scene.put(JOB, "migrate", spec={"suspend": True})
    assert told_of(scene.report((JOB, "migrate")).spec).ended == {}


MIGRATE = ObjectName("batch/v1", "Job", "ns", "migrate")


def gone(scene: Scene, content: dict[str, Any], *, owner: str = "") -> Finding:
    """The report after a Job with a TTL has gone, which was as given in the end."""
    sink, owners = KindSink(JOB, scene.objects, lambda kind: None), [{"uid": owner}] if owner else []
    metadata = {"name": "migrate", "namespace": "ns", "uid": "uid-migrate", "ownerReferences": owners,
                "labels": {"threeport.io/workload-instance": "i"}}  # fmt: skip
    sink.seen({"metadata": metadata, "spec": {}})
    sink.gone({"metadata": {**metadata, "deletionTimestamp": AT}, **content})
    app = replace(instance((JOB, "migrate")), ending={MIGRATE: "digest"})
    ended = scene.objects.last_words("i")
    return make_report("runtime", app, scene.objects, scene.events, now=LATER, clock=0.0, ended=ended)


@pytest.mark.parametrize(
    ("content", "health", "message"),
    [
        (COMPLETE, "Healthy", "completed"),
        (GIVEN_UP, "Down", "BackoffLimitExceeded: limit"),
        ({"status": {"active": 1}}, "Down", "was deleted before it had ended"),
        ({"spec": {"suspend": True}}, "Down", "was deleted before it had ended"),
    ],
)
def test_a_job_that_is_gone_is_as_it_was_when_it_went(content: dict[str, Any], health: str, message: str) -> None:
    resource = gone(Scene(JOB), content).spec.resources[0]
    assert resource.health == health
    assert message in resource.message


def test_that_a_job_was_deleted_before_it_had_ended_is_said_after_a_restart_too() -> None:
    finding = gone(Scene(JOB), {"status": {"active": 1}})
    app = replace(instance((JOB, "migrate")), ending={MIGRATE: "digest"})
    scene = Scene(JOB)
    told = told_of(finding.spec).ended
    again = make_report("runtime", app, scene.objects, scene.events, now=LATER, clock=0.0, ended=told)
    assert again.spec.resources[0] == finding.spec.resources[0]


def test_of_the_jobs_of_cron_jobs_and_of_instances_that_are_gone_nothing_is_kept() -> None:
    scene = Scene(JOB)
    assert gone(scene, COMPLETE, owner="uid-nightly").spec.resources[0].message == REMOVED.message
    assert scene.objects.last_words("i") == {}
    gone(scene, COMPLETE)
    scene.objects.forget_instance("i")
    assert scene.objects.last_words("i") == {}


def test_a_job_that_follows_under_the_name_of_one_that_is_gone_makes_it_forgotten() -> None:
    scene = Scene(JOB)
    gone(scene, GIVEN_UP)
    scene.put(JOB, "migrate", spec={}, status={"active": 1})
    assert scene.objects.last_words("i") == {}
