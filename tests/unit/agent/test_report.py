"""What the agent says of an instance: a pure function of what it has seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.cluster.identity import KindName, ObjectName
from agent.observation.events import Events
from agent.observation.instances import Instance, instance_of
from agent.observation.objects import Objects, Sight, condense
from agent.reporting.report import GRACE, REMOVED, Finding, is_ready_to_report, make_report
from agent.reporting.told import told_of
from threeport.kube.health.verdict import Verdict

POD, REPLICA_SET = KindName("v1", "Pod"), KindName("apps/v1", "ReplicaSet")
DEPLOYMENT, CONFIG_MAP = KindName("apps/v1", "Deployment"), KindName("v1", "ConfigMap")
LATER = GRACE + 1


class Scene:
    """A cluster as the agent knows it, with one instance in it."""

    def __init__(self, *kinds: KindName) -> None:
        self.marked: list[str] = []
        self.objects = Objects(self.marked.append)
        self.events = Events(lambda uid: None)
        for kind in (POD, REPLICA_SET, *kinds):
            self.objects.set_sight(kind, Sight.COMPLETE)

    def put(self, kind: KindName, name: str, *, owner: str = "", instance: str = "i", **content: Any) -> None:
        owners = [{"uid": owner, "controller": True}] if owner else []
        metadata = {
            "name": name, "namespace": "ns", "uid": f"uid-{name}", "generation": 1,
            "labels": {"threeport.io/workload-instance": instance}, "ownerReferences": owners,
        }  # fmt: skip
        self.objects.put(condense(kind, {"metadata": metadata, **content}))

    def report(self, *names: tuple[KindName, str], now: float = LATER, clock: float = 0.0) -> Finding:
        return make_report("runtime", instance(*names), self.objects, self.events, now=now, clock=clock)


def instance(*names: tuple[KindName, str]) -> Instance:
    return instance_of(
        {
            "spec": {
                "instance": {"namespace": "default", "name": "app", "uid": "i", "generation": 3},
                "appliedHash": "h",
                "resources": [
                    {"apiVersion": kind.api_version, "kind": kind.kind, "namespace": "ns", "name": name}
                    for kind, name in names
                ],
            }
        },
        now=0.0,
    )


def running(available: int, wanted: int = 2) -> dict[str, Any]:
    counts = {"replicas": wanted, "updatedReplicas": wanted, "availableReplicas": available}
    return {"spec": {"replicas": wanted}, "status": {"observedGeneration": 1, **counts}}


PULL_FAILS = {
    "status": {
        "phase": "Pending",
        "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}],
    }
}


def test_it_says_of_what_it_speaks() -> None:
    scene = Scene(CONFIG_MAP)
    scene.put(CONFIG_MAP, "config")
    spec = scene.report((CONFIG_MAP, "config")).spec
    assert (spec.instance_uid, spec.instance_generation, spec.applied_hash) == ("i", 3, "h")
    assert (spec.health, spec.message, spec.resources[0].generation) == ("Healthy", "", 1)


@pytest.mark.parametrize(("available", "health"), [(0, "Down"), (1, "Degraded")])
def test_a_deployment_that_waits_is_explained_by_the_pod_that_cannot_start(available: int, health: str) -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(available))
    scene.put(REPLICA_SET, "web-1", owner="uid-web", **running(available))
    scene.put(POD, "web-1-a", owner="uid-web-1", **PULL_FAILS)
    spec = scene.report((DEPLOYMENT, "web")).spec
    assert (spec.resources[0].health, spec.resources[0].message) == (health, "ImagePullBackOff: no")
    assert spec.message == "Deployment/web: ImagePullBackOff: no"


def warning(about: str, reason: str, message: str, *, kind: str = "Warning", at: str = "10") -> dict[str, Any]:
    return {
        "metadata": {"uid": f"event-{reason}-{at}"}, "type": kind, "reason": reason, "message": message,
        "involvedObject": {"uid": about}, "lastTimestamp": f"2026-01-01T00:00:{at}Z",
    }  # fmt: skip


NOT_READY = {
    "status": {
        "phase": "Running",
        "containerStatuses": [{"name": "web", "state": {"running": {"startedAt": "2026-01-01T00:00:05Z"}}}],
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:05Z"}],
    }
}


def test_what_only_an_event_tells_explains_what_is_under_way() -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "db", **running(0))
    scene.events.seen(warning("uid-db", "FailedCreate", "exceeded quota: small"))
    spec = scene.report((DEPLOYMENT, "db")).spec
    assert (spec.health, spec.message) == ("Progressing", "Deployment/db: FailedCreate: exceeded quota: small")
    scene.events.seen(warning("uid-db", "SuccessfulCreate", "created", kind="Normal", at="20"))
    assert "quota" not in (scene.report((DEPLOYMENT, "db")).spec.message or "")


def test_a_probe_that_fails_is_said_of_the_deployment() -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(1))
    scene.put(REPLICA_SET, "web-1", owner="uid-web", **running(1))
    scene.put(POD, "web-1-a", owner="uid-web-1", **NOT_READY)
    scene.events.seen(warning("uid-web-1-a", "Unhealthy", "Readiness probe failed: 503"))
    spec = scene.report((DEPLOYMENT, "web")).spec
    assert (spec.health, spec.resources[0].message) == ("Progressing", "Unhealthy: Readiness probe failed: 503")


STATEFUL_SET = KindName("apps/v1", "StatefulSet")


def test_a_stateful_set_that_waits_for_a_lost_node_names_the_pod_there() -> None:
    scene = Scene(STATEFUL_SET)
    scene.put(STATEFUL_SET, "db", spec={"replicas": 3}, status={"observedGeneration": 1, "readyReplicas": 2})
    lost = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": "NoExecute"}
    going = {"name": "db-0", "namespace": "ns", "uid": "uid-going", "deletionTimestamp": "2026-01-01T00:00:00Z",
             "labels": {"threeport.io/workload-instance": "i"},
             "ownerReferences": [{"uid": "uid-db", "controller": True}]}  # fmt: skip
    scene.objects.put(condense(POD, {"metadata": going, "status": {"phase": "Running", "conditions": [lost]}}))
    resource = scene.report((STATEFUL_SET, "db")).spec.resources[0]
    assert resource.health == "Degraded"
    assert resource.message == "Pod/db-0 is being deleted since 2026-01-01T00:00:00Z: NoExecute"


def test_a_node_that_is_silent_explains_pods_that_are_no_longer_ready() -> None:
    scene = Scene()
    state = {"running": {"startedAt": "2026-01-01T00:00:05Z"}}
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:09:00Z"}
    status = {"phase": "Running", "containerStatuses": [{"name": "web", "state": state}], "conditions": [ready]}
    scene.put(POD, "alone", status=status)
    assert scene.report((POD, "alone")).spec.resources[0].message == "the pod is no longer ready"
    scene.events.seen(warning("uid-alone", "NodeNotReady", "Node is not ready"))
    assert scene.report((POD, "alone")).spec.resources[0].message == "NodeNotReady: Node is not ready"


CLAIM, JOB = KindName("v1", "PersistentVolumeClaim"), KindName("batch/v1", "Job")


def test_a_claim_that_is_bound_when_a_pod_wants_it_is_as_wanted_until_one_does() -> None:
    scene = Scene(CLAIM)
    scene.put(CLAIM, "data", status={"phase": "Pending"})
    assert scene.report((CLAIM, "data")).spec.health == "Progressing"
    scene.events.seen(warning("uid-data", "WaitForFirstConsumer", "waiting for first consumer", kind="Normal"))
    assert scene.report((CLAIM, "data")).spec.health == "Healthy"
    scene.events.seen(warning("uid-data", "ProvisioningFailed", "no space", at="20"))
    spec = scene.report((CLAIM, "data")).spec
    assert (spec.health, spec.resources[0].message) == ("Progressing", "ProvisioningFailed: no space")


def test_a_job_that_has_given_up_tells_how_its_pods_ended() -> None:
    scene = Scene(JOB)
    failed = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}]
    scene.put(JOB, "migrate", status={"conditions": failed})
    ended = [{"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]
    scene.put(POD, "migrate-1", owner="uid-migrate", status={"phase": "Failed", "containerStatuses": ended})
    spec = scene.report((JOB, "migrate")).spec
    assert (spec.health, spec.resources[0].message) == ("Down", "BackoffLimitExceeded: limit: exit code 3")


def test_a_job_that_tries_again_is_under_way_whatever_became_of_its_first_pod() -> None:
    scene = Scene(JOB)
    scene.put(JOB, "migrate", status={"failed": 1})
    scene.put(POD, "migrate-1", owner="uid-migrate", status={"phase": "Failed", "reason": "Evicted"})
    assert scene.report((JOB, "migrate")).spec.health == "Progressing"


def test_a_pod_on_its_way_out_complains_in_vain() -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(1))
    scene.put(REPLICA_SET, "web-1", owner="uid-web", **running(1))
    going = {"name": "web-1-a", "namespace": "ns", "uid": "uid-going", "deletionTimestamp": "2026-01-01T00:00:00Z",
             "labels": {"threeport.io/workload-instance": "i"},
             "ownerReferences": [{"uid": "uid-web-1", "controller": True}]}  # fmt: skip
    scene.objects.put(condense(POD, {"metadata": going, **NOT_READY}))
    scene.events.seen(warning("uid-going", "Unhealthy", "Readiness probe failed: connection refused"))
    assert "probe" not in (scene.report((DEPLOYMENT, "web")).spec.message or "")


def test_a_healthy_deployment_is_not_blamed_for_a_pod_that_is_on_its_way_out() -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(2))
    scene.put(REPLICA_SET, "web-1", owner="uid-web", **running(2))
    scene.put(POD, "web-1-a", owner="uid-web-1", **PULL_FAILS)
    assert scene.report((DEPLOYMENT, "web")).spec.health == "Healthy"


def test_a_pod_that_has_failed_does_not_explain_what_replaces_it() -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(1))
    scene.put(REPLICA_SET, "web-1", owner="uid-web", **running(1))
    scene.put(POD, "old", owner="uid-web-1", status={"phase": "Failed", "reason": "Evicted"})
    assert scene.report((DEPLOYMENT, "web")).spec.health == "Progressing"


def test_an_object_has_a_moment_to_appear_and_is_missing_then() -> None:
    scene = Scene(CONFIG_MAP)
    early, late = scene.report((CONFIG_MAP, "config"), now=1.0), scene.report((CONFIG_MAP, "config"))
    assert (early.spec.health, early.look_again) == ("Progressing", GRACE - 1)
    assert (late.spec.health, late.spec.resources[0].message, late.look_again) == ("Down", "missing", None)


def test_an_object_of_another_instance_does_not_count() -> None:
    scene = Scene(CONFIG_MAP)
    scene.put(CONFIG_MAP, "config", instance="another")
    assert scene.report((CONFIG_MAP, "config")).spec.resources[0].message == "missing"


@pytest.mark.parametrize(
    ("sight", "health", "message"),
    [(Sight.ABSENT, "Down", "knows no kind ConfigMap"), (Sight.DENIED, "Unknown", "no right to watch ConfigMap")],
)
def test_a_kind_that_cannot_be_watched_is_said_so(sight: Sight, health: str, message: str) -> None:
    scene = Scene()
    scene.objects.set_sight(CONFIG_MAP, sight)
    spec = scene.report((CONFIG_MAP, "config")).spec
    assert spec.health == health
    assert message in spec.message


def test_secrets_are_not_looked_at_and_count_as_healthy() -> None:
    finding = Scene().report((KindName("v1", "Secret"), "password"))
    assert finding.spec.health == "Healthy"
    assert finding.complete


def test_nothing_is_said_before_every_kind_was_looked_at() -> None:
    assert not is_ready_to_report(instance((CONFIG_MAP, "config")), Scene().objects)
    assert is_ready_to_report(instance((CONFIG_MAP, "config")), Scene(CONFIG_MAP).objects)
    assert is_ready_to_report(instance((KindName("v1", "Secret"), "a")), Scene().objects)
    assert is_ready_to_report(instance(), Objects(lambda uid: None)), "nothing is watched for it"


@pytest.mark.parametrize("unknown", [POD, REPLICA_SET])
def test_nothing_is_said_before_the_kinds_that_explain_were_looked_at(unknown: KindName) -> None:
    scene = Scene(DEPLOYMENT)
    scene.objects.forget_kind(unknown)
    assert not is_ready_to_report(instance((DEPLOYMENT, "web")), scene.objects)


def test_of_what_may_still_appear_it_is_foreseen_what_will_be_said_if_it_does_not() -> None:
    early = Scene(CONFIG_MAP).report((CONFIG_MAP, "config"), now=1.0)
    assert early.spec.health == "Progressing"
    assert early.foreseen is not None
    assert early.foreseen.resources[0].message == "missing"


def test_the_order_in_which_pods_are_heard_of_does_not_change_what_is_said() -> None:
    said = set()
    for order in (("a", "b"), ("b", "a")):
        scene = Scene(DEPLOYMENT)
        scene.put(DEPLOYMENT, "web", **running(0))
        scene.put(REPLICA_SET, "web-1", owner="uid-web", **running(0))
        for name in order:
            waits = {"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff", "message": name}}}
            status = {"phase": "Pending", "containerStatuses": [waits]}
            scene.put(POD, name, owner="uid-web-1", status=status)
        said.add(scene.report((DEPLOYMENT, "web")).spec.message)
    assert said == {"Deployment/web: ImagePullBackOff: a"}


def test_a_kind_that_the_cluster_fails_to_list_is_unknown_whatever_was_seen_before() -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(2))
    scene.objects.set_sight(DEPLOYMENT, Sight.FAILING, "conversion webhook failed")
    scene.objects.set_sight(DEPLOYMENT, Sight.FAILING, "conversion webhook failed, in other words")
    assert is_ready_to_report(instance((DEPLOYMENT, "web")), scene.objects)
    spec = scene.report((DEPLOYMENT, "web")).spec
    assert spec.health == "Unknown"
    assert spec.message == "Deployment/web: the cluster cannot list Deployment in apps/v1: conversion webhook failed"


def test_the_summary_names_the_worst_and_counts_the_others() -> None:
    scene = Scene(CONFIG_MAP, DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(0))
    spec = scene.report((DEPLOYMENT, "web"), (CONFIG_MAP, "config")).spec
    assert (spec.health, spec.message) == ("Down", "ConfigMap/config: missing (and 1 more not healthy)")


def test_an_instance_without_objects_is_unknown() -> None:
    assert Scene().report().spec.health == "Unknown"


def test_an_object_that_does_not_change_marks_nobody() -> None:
    scene = Scene(CONFIG_MAP)
    scene.put(CONFIG_MAP, "config")
    scene.put(CONFIG_MAP, "config", data={"irrelevant": "for health"})
    assert scene.marked == ["i"]


def test_what_a_new_list_does_not_hold_is_forgotten() -> None:
    scene = Scene(CONFIG_MAP)
    scene.put(CONFIG_MAP, "stays")
    scene.put(CONFIG_MAP, "goes")
    scene.objects.keep_only(CONFIG_MAP, {"uid-stays"})
    assert scene.objects.find(ObjectName("v1", "ConfigMap", "ns", "goes")) is None
    assert scene.objects.find(ObjectName("v1", "ConfigMap", "ns", "stays")) is not None


def test_the_deletion_of_a_replaced_object_does_not_hide_the_new_one() -> None:
    scene = Scene(CONFIG_MAP)
    scene.put(CONFIG_MAP, "config")
    name = ObjectName("v1", "ConfigMap", "ns", "config")
    scene.objects.remove(name, "uid of the former")
    assert scene.objects.find(name) is not None


@pytest.mark.parametrize("last", [Verdict("Healthy", "completed"), Verdict("Down", "BackoffLimitExceeded"), None])
def test_a_job_that_kubernetes_has_removed_since_it_had_ended_is_as_it_ended(last: Verdict | None) -> None:
    scene, name = Scene(JOB), ObjectName("batch/v1", "Job", "ns", "migrate")
    app = replace(instance((JOB, "migrate")), ending={name: "digest"})
    ended = {name: last} if last else {}
    finding = make_report("runtime", app, scene.objects, scene.events, now=LATER, clock=0.0, ended=ended)
    assert finding.complete
    assert finding.spec.health == (last.health if last else "Healthy")
    assert finding.spec.resources[0].message == (last or REMOVED).message
    told = told_of(finding.spec).ended
    again = make_report("runtime", app, scene.objects, scene.events, now=LATER, clock=0.0, ended=told)
    assert told_of(again.spec) == told_of(finding.spec), "what is said stays so when the agent starts anew"


def crashing(started: str, restarts: int = 3) -> dict[str, Any]:
    """A pod without a readiness probe, in a moment between two crashes."""
    main = {
        "name": "main", "restartCount": restarts, "state": {"running": {"startedAt": started}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
    }  # fmt: skip
    ready = {"type": "Ready", "status": "True"}
    return {"status": {"phase": "Running", "conditions": [ready], "containerStatuses": [main]}}


STARTED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "health", "again"),
    [(1, "Degraded", 39), (39, "Degraded", 1), (41, "Healthy", None), (-9, "Healthy", None)],
)
def test_who_has_crashed_and_runs_again_is_well_when_it_has_run_for_a_while(
    after: float, health: str, again: float | None
) -> None:
    scene = Scene(DEPLOYMENT)
    scene.put(DEPLOYMENT, "web", **running(1, wanted=1))
    scene.put(REPLICA_SET, "web-1", owner="uid-web", **running(1, wanted=1))
    scene.put(POD, "web-1-a", owner="uid-web-1", **crashing(STARTED.isoformat()))
    finding = scene.report((DEPLOYMENT, "web"), clock=STARTED.timestamp() + after)
    assert finding.spec.health == health
    assert finding.look_again == again
    if again:
        assert finding.spec.message == "Deployment/web: container main has started again 3 times, after exit code 1"
        assert scene.report((DEPLOYMENT, "web"), clock=STARTED.timestamp() + after + again).spec.health == "Healthy"
