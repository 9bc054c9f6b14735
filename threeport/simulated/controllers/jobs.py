"""Jobs: pods until enough of them have succeeded, or too many have failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from threeport.common.types import JsonObject
from threeport.krm.metadata import timestamp
from threeport.simulated.controllers.pod_sets import PodSets
from threeport.simulated.controllers.pods import is_living, is_ready, new_pod, phase_of, set_condition
from threeport.simulated.world import Entry, World

LABELS: Final = ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


class Jobs(PodSets):
    """Starts up to `parallelism` pods at a time."""

    resource = "jobs.batch"

    def is_over(self, entry: Entry) -> bool:
        """Whether the Job has completed or failed."""
        conditions = (entry.obj.get("status") or {}).get("conditions") or ()
        return any(found["type"] in ("Complete", "Failed") and found["status"] == "True" for found in conditions)

    async def step(self, entry: Entry, world: World) -> None:
        """Starts pods that are missing, deletes those that are too many."""
        spec, pods = entry.obj["spec"], world.owned(entry.uid, "pods")
        active = [pod for pod in pods if is_living(pod)]
        idle = spec.get("suspend") or _has_given_up(entry, pods)
        wanted = 0 if idle else min(spec.get("parallelism", 1), _missing(entry, pods))
        for _ in range(wanted - len(active)):
            labels = {LABELS[0]: entry.uid, LABELS[1]: entry.key.name}
            await world.create(new_pod(entry, template=spec["template"], labels=labels))
        for pod in active[wanted:]:
            await world.delete(pod)

    def status_of(self, entry: Entry, pods: Sequence[Entry]) -> JsonObject:
        """Counts, and whether it is over."""
        living = [pod for pod in pods if is_living(pod)]
        now = timestamp()
        status: JsonObject = {
            "startTime": (entry.obj.get("status") or {}).get("startTime") or now,
            "active": len(living),
            "ready": sum(is_ready(pod) for pod in living),
            "succeeded": _ended_as(pods, "Succeeded"),
            "failed": _ended_as(pods, "Failed"),
        }
        if _has_given_up(entry, pods) and not living:
            message = "Job has reached the specified backoff limit"
            set_condition(status, "Failed", value=True, reason="BackoffLimitExceeded", message=message, now=now)
        elif not _missing(entry, pods):
            status["completionTime"] = now
            set_condition(status, "Complete", value=True, reason="CompletionsReached", message="", now=now)
        return status


def _ended_as(pods: Sequence[Entry], phase: str) -> int:
    return sum(phase_of(pod) == phase for pod in pods)


def _has_given_up(entry: Entry, pods: Sequence[Entry]) -> bool:
    return _ended_as(pods, "Failed") > int(entry.obj["spec"].get("backoffLimit", 6))


def _missing(entry: Entry, pods: Sequence[Entry]) -> int:
    return max(0, int(entry.obj["spec"].get("completions") or 1) - _ended_as(pods, "Succeeded"))
