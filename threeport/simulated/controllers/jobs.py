"""Jobs: pods until enough of them have succeeded, or too many have failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from threeport.common.types import JsonObject
from threeport.krm.metadata import timestamp
from threeport.simulated.controllers.controller import itself_or_owner
from threeport.simulated.controllers.pods import is_living, is_ready, new_pod, phase_of, set_condition
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

RESOURCE: Final = "jobs.batch"
LABELS: Final = ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


class Jobs:
    """Starts up to `parallelism` pods at a time."""

    resources = (RESOURCE, "pods")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The Job itself, or the one that owns the pod."""
        return itself_or_owner(RESOURCE, entry, world)

    async def reconcile(self, key: Key, world: World) -> float | None:
        """Starts pods that are missing, then the status."""
        entry = world.find(key)
        if entry is None or entry.stored.deleting or _ended(entry):
            return None
        spec = entry.obj["spec"]
        pods = world.owned(entry.uid, "pods")
        succeeded = sum(phase_of(pod) == "Succeeded" for pod in pods)
        failed = sum(phase_of(pod) == "Failed" for pod in pods)
        active = [pod for pod in pods if is_living(pod)]
        given_up = failed > spec.get("backoffLimit", 6)
        wanted = 0 if spec.get("suspend") or given_up else min(spec.get("parallelism", 1), _missing(entry, succeeded))
        for _ in range(wanted - len(active)):
            labels = {LABELS[0]: entry.uid, LABELS[1]: entry.key.name}
            await world.create(new_pod(entry, template=spec["template"], labels=labels))
        for pod in active[wanted:]:
            await world.delete(pod)
        entry = world.find(key)
        if entry is not None:
            await world.set_status(entry, _status(entry, world.owned(entry.uid, "pods"), given_up=given_up))
        return None


def _missing(entry: Entry, succeeded: int) -> int:
    return max(0, int(entry.obj["spec"].get("completions") or 1) - succeeded)


def _ended(entry: Entry) -> bool:
    conditions = (entry.obj.get("status") or {}).get("conditions") or ()
    return any(found["type"] in ("Complete", "Failed") and found["status"] == "True" for found in conditions)


def _status(entry: Entry, pods: Sequence[Entry], *, given_up: bool) -> JsonObject:
    succeeded = sum(phase_of(pod) == "Succeeded" for pod in pods)
    living = [pod for pod in pods if is_living(pod)]
    now = timestamp()
    status: JsonObject = {
        "startTime": (entry.obj.get("status") or {}).get("startTime") or now,
        "active": len(living),
        "ready": sum(is_ready(pod) for pod in living),
        "succeeded": succeeded,
        "failed": sum(phase_of(pod) == "Failed" for pod in pods),
    }
    if given_up:
        message = "Job has reached the specified backoff limit"
        set_condition(status, "Failed", value=True, reason="BackoffLimitExceeded", message=message, now=now)
    elif not _missing(entry, succeeded):
        status["completionTime"] = now
        set_condition(status, "Complete", value=True, reason="CompletionsReached", message="", now=now)
    return status
