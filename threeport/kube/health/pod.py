"""Pods: the place where most failures first show, as the waiting reason of a container."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.health.fields import condition, items, number, part
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence
from threeport.resources.workload import Health

UNDER_WAY: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Waiting reasons of a container that is only starting; all others (kubelet, ``pkg/kubelet/container``) are errors."""


FIRST_BACKOFF: Final = 10.0
LONGEST_BACKOFF: Final = 300.0
"""Seconds that the kubelet waits before it starts a container again that ends again and again: the first time, doubled
each time, and at most (kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, "How Pods handle problems")."""
FORGIVEN: Final = 600.0
"""Seconds that a container has to run for the kubelet to forget the restarts before (same place)."""


class Restart(NamedTuple):
    """A container runs again that has ended."""

    steady_at: float
    """When it has run for so long that it counts as well, in seconds since the epoch, by the clock of the node."""
    lasts: float
    """Seconds from its start until then."""
    message: str


def restart_of(obj: FrozenJson) -> Restart | None:
    """The restart of a container that has to show yet that it lasts: without a readiness probe a pod is ready in each
    moment between two crashes. It has to run for as long as the kubelet waits after that many of them."""
    found = [restart for container in _containers(obj) if (restart := _restart(container)) is not None]
    return max(found, default=None)


def _restart(container: FrozenJson) -> Restart | None:
    count, started = number(container, "restartCount"), part(container, "state", "running").get("startedAt")
    ended = part(container, "lastState", "terminated")
    if not count or not ended:
        return None
    since = _seconds(started)
    if since is None:
        return None
    ran = (_seconds(ended.get("finishedAt")) or 0.0) - (_seconds(ended.get("startedAt")) or float("inf"))
    lasts = FIRST_BACKOFF if ran >= FORGIVEN else min(FIRST_BACKOFF * 2 ** min(count - 1, 10), LONGEST_BACKOFF)
    times = "once" if count == 1 else f"{count} times"
    message = f"container {container.get('name')} has started again {times}, after {_exit(ended) or 'exit code 0'}"
    return Restart(since + lasts, lasts, message)


def _seconds(timestamp: object) -> float | None:
    """A time as Kubernetes writes it, in seconds since the epoch."""
    try:
        return datetime.fromisoformat(str(timestamp)).timestamp()
    except ValueError:
        return None


def assess_pod(obj: FrozenJson) -> Verdict:
    """Healthy when ready or completed; Down with the kubelet's reason when a container cannot start or crashes."""
    status = part(obj, "status")
    phase = status.get("phase")
    if phase == "Succeeded":
        return Verdict("Healthy", "completed")
    if phase == "Failed":
        return _failed(obj)
    if phase == "Unknown":
        return Verdict("Unknown", sentence("NodeLost", "the node of the pod does not answer"))
    return _stuck_container(obj) or _unscheduled(obj) or _readiness(obj)


def _failed(obj: FrozenJson) -> Verdict:
    status = part(obj, "status")
    if status.get("reason") or status.get("message"):
        return Verdict("Down", sentence(str(status.get("reason") or ""), str(status.get("message") or "")))
    ends = [_exit(ended) for found in _containers(obj) if (ended := part(found, "state", "terminated"))]
    return Verdict("Down", next((end for end in ends if end), "the pod failed"))


def _stuck_container(obj: FrozenJson) -> Verdict | None:
    for found in _containers(obj):
        waiting = part(found, "state", "waiting")
        reason = str(waiting.get("reason") or "")
        if reason not in UNDER_WAY:
            message = str(waiting.get("message") or "")
            last = _exit(part(found, "lastState", "terminated"))
            return Verdict("Down", sentence(reason, f"{last}; {message}" if last and message else last or message))
        ended = part(found, "state", "terminated")
        if ended and ended.get("exitCode"):
            return Verdict("Degraded", sentence(f"container {found.get('name')}", _exit(ended)))
    return None


def _unscheduled(obj: FrozenJson) -> Verdict | None:
    scheduled = condition(obj, "PodScheduled")
    if scheduled.get("status") != "False" or not scheduled.get("reason"):
        return None
    reason = str(scheduled["reason"])
    health: Health = "Degraded" if reason == "Unschedulable" else "Progressing"
    return Verdict(health, sentence(reason, str(scheduled.get("message") or "")))


def _readiness(obj: FrozenJson) -> Verdict:
    ready = condition(obj, "Ready")
    if ready.get("status") == "True":
        return HEALTHY
    if part(obj, "status").get("phase") != "Running":
        return Verdict("Progressing", "the pod is starting")
    lost = _was_ready(obj, ready)
    message = str(ready.get("message") or ("the pod is no longer ready" if lost else "the pod is not ready yet"))
    return Verdict("Degraded" if lost else "Progressing", message)


def _was_ready(obj: FrozenJson, ready: FrozenJson) -> bool:
    """Readiness that turned after the containers had started was lost, rather than not reached yet."""
    ended = [found for found in items(obj, "status", "initContainerStatuses") if part(found, "state", "terminated")]
    living = [found for found in _containers(obj) if found not in ended]
    started = [str(part(found, "state", "running").get("startedAt") or "") for found in living]
    return bool(started) and all(started) and str(ready.get("lastTransitionTime") or "") > max(started)


def _containers(obj: FrozenJson) -> list[JsonObject]:
    return items(obj, "status", "initContainerStatuses") + items(obj, "status", "containerStatuses")


def _exit(ended: FrozenJson) -> str:
    """`OOMKilled, exit code 137`, or nothing for a container that ended well."""
    code = ended.get("exitCode")
    if not code:
        return ""
    reason = str(ended.get("reason") or "")
    return f"{reason}, exit code {code}" if reason not in ("", "Error") else f"exit code {code}"
