"""Kinds that keep a number of pods: Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController."""

from __future__ import annotations

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import condition, is_unobserved, number, part
from threeport.kube.health.verdict import HEALTHY, UNOBSERVED, Verdict, sentence


def assess_deployment(obj: FrozenJson) -> Verdict:
    """Healthy when every replica is of the newest template and available, and none of an older one is left."""
    if is_unobserved(obj):
        return UNOBSERVED
    for failure in (condition(obj, "ReplicaFailure"), condition(obj, "Progressing")):
        failed = failure.get("status") == ("True" if failure.get("type") == "ReplicaFailure" else "False")
        if failed:
            return _partly(obj, sentence(str(failure.get("reason", "")), str(failure.get("message", ""))))
    wanted = number(obj, "spec", "replicas", default=1)
    updated = number(obj, "status", "updatedReplicas")
    if updated < wanted:
        paused = ", the rollout is paused" if part(obj, "spec").get("paused") else ""
        return Verdict("Progressing", f"{updated} of {wanted} replicas are updated{paused}")
    old = number(obj, "status", "replicas") - updated
    if old > 0:
        return Verdict("Progressing", f"{old} replicas of the former version are still there")
    return _all_available(number(obj, "status", "availableReplicas"), wanted)


def assess_stateful_set(obj: FrozenJson) -> Verdict:
    """Healthy when all replicas are ready and, unless updates wait for the user, of the newest revision."""
    if is_unobserved(obj):
        return UNOBSERVED
    wanted = number(obj, "spec", "replicas", default=1)
    counted = "availableReplicas" if number(obj, "spec", "minReadySeconds") else "readyReplicas"
    ready = number(obj, "status", counted)
    if ready < wanted:
        return _all_available(ready, wanted)
    strategy = part(obj, "spec", "updateStrategy")
    if strategy.get("type") == "OnDelete":
        return HEALTHY
    target = wanted - number(strategy, "rollingUpdate", "partition")
    status = part(obj, "status")
    if status.get("updateRevision") == status.get("currentRevision"):
        return HEALTHY
    updated = number(obj, "status", "updatedReplicas")
    return HEALTHY if updated >= target else Verdict("Progressing", f"{updated} of {target} replicas are updated")


def assess_daemon_set(obj: FrozenJson) -> Verdict:
    """Healthy when every node that should run a pod runs one of the newest template, available."""
    if is_unobserved(obj):
        return UNOBSERVED
    wanted = number(obj, "status", "desiredNumberScheduled")
    updated = number(obj, "status", "updatedNumberScheduled")
    if part(obj, "spec", "updateStrategy").get("type") != "OnDelete" and updated < wanted:
        return Verdict("Progressing", f"{updated} of {wanted} pods are updated")
    return _all_available(number(obj, "status", "numberAvailable"), wanted)


def assess_replica_set(obj: FrozenJson) -> Verdict:
    """Healthy when all replicas are available; also for a ReplicationController."""
    if is_unobserved(obj):
        return UNOBSERVED
    failure = condition(obj, "ReplicaFailure")
    if failure.get("status") == "True":
        return _partly(obj, sentence(str(failure.get("reason", "")), str(failure.get("message", ""))))
    return _all_available(number(obj, "status", "availableReplicas"), number(obj, "spec", "replicas", default=1))


def available_pods(obj: FrozenJson) -> int:
    """How many pods of such an object serve: what decides between Degraded and Down."""
    return max(
        number(obj, "status", "availableReplicas"),
        number(obj, "status", "readyReplicas"),
        number(obj, "status", "numberAvailable"),
    )


def _all_available(available: int, wanted: int) -> Verdict:
    return HEALTHY if available >= wanted else Verdict("Progressing", f"{available} of {wanted} replicas are available")


def _partly(obj: FrozenJson, message: str) -> Verdict:
    return Verdict("Degraded" if available_pods(obj) else "Down", message)
