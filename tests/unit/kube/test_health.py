"""What is said of Kubernetes objects, one table per family of kinds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.kube.health import ASSESSMENTS, assess
from threeport.kube.health.pod import restart_of
from threeport.kube.health.verdict import LONGEST_MESSAGE, SEVERITY, Verdict, worst

GROUPS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1"}


def judged(kind: str, obj: dict[str, Any], api_version: str | None = None) -> Verdict:
    return assess(api_version or GROUPS.get(kind, "v1"), kind, obj)


def deployment(*, wanted: int = 2, observed: int = 1, conditions: Any = (), **status: int) -> dict[str, Any]:
    counts = {"replicas": wanted, "updatedReplicas": wanted, "availableReplicas": wanted, **status}
    return {
        "metadata": {"generation": 1},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": observed, "conditions": list(conditions), **counts},
    }


def condition(kind: str, status: str, reason: str = "", message: str = "", since: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}


@pytest.mark.parametrize(
    ("obj", "health", "message"),
    [
        (deployment(), "Healthy", ""),
        (deployment(observed=0), "Progressing", "has not seen the change"),
        (deployment(updatedReplicas=1), "Progressing", "1 of 2 replicas are updated"),
        (deployment(replicas=3), "Progressing", "1 replicas of the former version"),
        (deployment(availableReplicas=1), "Progressing", "1 of 2 replicas are available"),
        (deployment(wanted=0), "Healthy", ""),
        (
            deployment(availableReplicas=1, conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded")]),
            "Degraded",
            "ProgressDeadlineExceeded",
        ),
        (
            deployment(availableReplicas=0, conditions=[condition("ReplicaFailure", "True", "FailedCreate", "quota")]),
            "Down",
            "FailedCreate: quota",
        ),
    ],
)
def test_deployments(obj: dict[str, Any], health: str, message: str) -> None:
    verdict = judged("Deployment", obj)
    assert verdict.health == health
    assert message in verdict.message


def stateful_set(**status: Any) -> dict[str, Any]:
    known = {"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 3, "currentRevision": "a"}
    return {"metadata": {"generation": 1}, "spec": {"replicas": 3}, "status": {**known, **status}}


@pytest.mark.parametrize(
    ("obj", "health"),
    [
        (stateful_set(updateRevision="a"), "Healthy"),
        (stateful_set(updateRevision="b", updatedReplicas=1), "Progressing"),
        (stateful_set(readyReplicas=2, updateRevision="a"), "Progressing"),
        (
            {**stateful_set(updateRevision="b"), "spec": {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}},
            "Healthy",
        ),
        (
            {
                **stateful_set(updateRevision="b", updatedReplicas=1),
                "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            },
            "Healthy",
        ),
    ],
)
def test_stateful_sets(obj: dict[str, Any], health: str) -> None:
    assert judged("StatefulSet", obj).health == health


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}, "Healthy"),
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 3}, "Progressing"),
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}, "Progressing"),
        ({"desiredNumberScheduled": 0}, "Healthy"),
    ],
)
def test_daemon_sets(status: dict[str, int], health: str) -> None:
    obj = {"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": 1, **status}}
    assert judged("DaemonSet", obj).health == health


def pod(phase: str, *containers: dict[str, Any], conditions: Any = (), **status: Any) -> dict[str, Any]:
    return {
        "metadata": {},
        "status": {"phase": phase, "containerStatuses": list(containers), "conditions": list(conditions), **status},
    }


def waiting(reason: str, message: str = "", last: Any = None) -> dict[str, Any]:
    return {
        "name": "web",
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": {"terminated": last} if last else {},
    }


RUNNING = {"name": "web", "state": {"running": {"startedAt": "2026-01-01T00:00:10Z"}}}


@pytest.mark.parametrize(
    ("obj", "health", "message"),
    [
        (pod("Running", RUNNING, conditions=[condition("Ready", "True")]), "Healthy", ""),
        (pod("Pending", waiting("ContainerCreating")), "Progressing", "starting"),
        (pod("Pending", waiting("ImagePullBackOff", "no such image")), "Down", "ImagePullBackOff: no such image"),
        (pod("Pending", waiting("ErrImagePull", "no such\n image")), "Down", "ErrImagePull: no such image"),
        (pod("Pending", waiting("CreateContainerConfigError", 'secret "x" not found')), "Down", 'secret "x"'),
        (
            pod("Running", waiting("CrashLoopBackOff", "back-off", {"exitCode": 137, "reason": "OOMKilled"})),
            "Down",
            "CrashLoopBackOff: OOMKilled, exit code 137; back-off",
        ),
        (
            pod("Pending", initContainerStatuses=[waiting("CrashLoopBackOff", "", {"exitCode": 1, "reason": "Error"})]),
            "Down",
            "CrashLoopBackOff: exit code 1",
        ),
        (
            pod("Pending", conditions=[condition("PodScheduled", "False", "Unschedulable", "0/3 nodes")]),
            "Degraded",
            "Unschedulable: 0/3 nodes",
        ),
        (
            pod("Running", RUNNING, conditions=[condition("Ready", "False", since="2026-01-01T00:00:01Z")]),
            "Progressing",
            "not ready yet",
        ),
        (
            pod("Running", RUNNING, conditions=[condition("Ready", "False", since="2026-01-01T01:00:00Z")]),
            "Degraded",
            "no longer ready",
        ),
        (pod("Succeeded"), "Healthy", "completed"),
        (pod("Failed", reason="Evicted", message="low on memory"), "Down", "Evicted: low on memory"),
        (pod("Failed", {"name": "a", "state": {"terminated": {"exitCode": 3}}}), "Down", "exit code 3"),
        (pod("Unknown"), "Unknown", "NodeLost"),
    ],
)
def test_pods(obj: dict[str, Any], health: str, message: str) -> None:
    verdict = judged("Pod", obj)
    assert verdict.health == health
    assert message in verdict.message


@pytest.mark.parametrize(("ran", "lasts"), [(60, 300), (599, 300), (600, 10), (86400, 10)])
def test_a_container_that_has_run_for_long_is_trusted_again_soon(ran: int, lasts: int) -> None:
    def at(seconds: int) -> str:
        return datetime.fromtimestamp(1_767_225_600 + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    ended = {"exitCode": 137, "reason": "OOMKilled", "startedAt": at(0), "finishedAt": at(ran)}
    state = {"running": {"startedAt": at(ran + 1)}}
    main = {"name": "main", "restartCount": 50, "state": state, "lastState": {"terminated": ended}}
    restart = restart_of({"status": {"containerStatuses": [main]}})
    assert restart is not None
    assert restart.lasts == lasts


def test_a_long_message_is_cut() -> None:
    assert len(judged("Pod", pod("Pending", waiting("ErrImagePull", "x" * 1000))).message) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("obj", "health", "message"),
    [
        ({"status": {"conditions": [condition("Complete", "True")]}}, "Healthy", "completed"),
        ({"spec": {"suspend": True}}, "Healthy", "suspended"),
        ({"spec": {"completions": 3}, "status": {"succeeded": 1, "failed": 2}}, "Progressing", "1 of 3"),
        (
            {"status": {"conditions": [condition("Failed", "True", "BackoffLimitExceeded", "limit")]}},
            "Down",
            "BackoffLimitExceeded: limit",
        ),
    ],
)
def test_jobs(obj: dict[str, Any], health: str, message: str) -> None:
    verdict = judged("Job", obj, "batch/v1")
    assert verdict.health == health
    assert message in verdict.message


@pytest.mark.parametrize(
    ("api_version", "kind", "obj", "health"),
    [
        ("batch/v1", "CronJob", {"spec": {"suspend": True}}, "Healthy"),
        ("v1", "PersistentVolumeClaim", {"status": {"phase": "Bound"}}, "Healthy"),
        ("v1", "PersistentVolumeClaim", {"status": {"phase": "Pending"}}, "Progressing"),
        ("v1", "PersistentVolumeClaim", {"status": {"phase": "Lost"}}, "Down"),
        ("v1", "Service", {"spec": {"type": "ClusterIP"}}, "Healthy"),
        ("v1", "Service", {"spec": {"type": "LoadBalancer"}}, "Progressing"),
        (
            "v1",
            "Service",
            {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}},
            "Healthy",
        ),
        ("networking.k8s.io/v1", "Ingress", {}, "Progressing"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", {}, "Progressing"),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            {"status": {"conditions": [condition("ScalingActive", "False", "FailedGetResourceMetric", "none")]}},
            "Degraded",
        ),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            {"status": {"conditions": [condition("ScalingActive", "False", "ScalingDisabled")]}},
            "Healthy",
        ),
        ("policy/v1", "PodDisruptionBudget", {"status": {"currentHealthy": 1, "desiredHealthy": 2}}, "Progressing"),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            {"status": {"conditions": [condition("Established", "True")]}},
            "Healthy",
        ),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            {"status": {"conditions": [condition("NamesAccepted", "False", "Conflict")]}},
            "Down",
        ),
        (
            "apiregistration.k8s.io/v1",
            "APIService",
            {"status": {"conditions": [condition("Available", "False", "MissingEndpoints")]}},
            "Down",
        ),
        ("v1", "Namespace", {"status": {"phase": "Terminating"}}, "Progressing"),
        ("v1", "ConfigMap", {}, "Healthy"),
        ("v1", "ConfigMap", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, "Progressing"),
    ],
)
def test_other_built_in_kinds(api_version: str, kind: str, obj: dict[str, Any], health: str) -> None:
    assert judged(kind, obj, api_version).health == health


@pytest.mark.parametrize(
    ("status", "health", "message"),
    [
        ({}, "Healthy", ""),
        ({"observedGeneration": 1}, "Progressing", "has not seen"),
        ({"observedGeneration": 2, "conditions": [condition("Ready", "True")]}, "Healthy", ""),
        ({"conditions": [condition("Ready", "False", "Waiting", "for DNS")]}, "Progressing", "Waiting: for DNS"),
        ({"conditions": [condition("Stalled", "True", "BadSpec", "no such class")]}, "Degraded", "BadSpec"),
        ({"conditions": [condition("Reconciling", "True", "Busy")]}, "Progressing", "Busy"),
        ({"phase": "Failed", "message": "no disk"}, "Down", "Failed: no disk"),
        ({"phase": "Provisioning"}, "Progressing", "Provisioning"),
        ({"phase": "Running"}, "Healthy", ""),
    ],
)
def test_custom_resources_are_judged_by_their_conditions(status: dict[str, Any], health: str, message: str) -> None:
    verdict = judged("Lamp", {"metadata": {"generation": 2}, "status": status}, "samples.threeport.io/v1")
    assert verdict.health == health
    assert message in verdict.message


def test_the_worst_verdict_is_the_one_that_needs_attention_first() -> None:
    verdicts = [Verdict("Healthy"), Verdict("Degraded", "a"), Verdict("Unknown"), Verdict("Degraded", "b")]
    assert worst(verdicts) == Verdict("Degraded", "a")
    assert worst([]) == Verdict("Healthy")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.sampled_from(sorted(ASSESSMENTS) + [("x.io", "Other")]),
    st.fixed_dictionaries({}, optional={"metadata": JSON, "spec": JSON, "status": JSON}),
)
def test_no_object_however_odd_makes_the_agent_fail(kind: tuple[str, str], obj: dict[str, Any]) -> None:
    assert judged(kind[1], obj, f"{kind[0]}/v1").health in SEVERITY
