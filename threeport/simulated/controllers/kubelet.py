"""The one node: pods are scheduled, start, become ready or complete. No container runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.metadata import timestamp
from threeport.simulated.controllers.events import tell
from threeport.simulated.controllers.pods import set_condition
from threeport.simulated.world import Entry, World
from threeport.store.records import Key

NODE: Final = "simulated"
START_SECONDS: Final = 0.3
RUN_SECONDS: Final = 0.5
"""How long a pod takes to start, and a pod that ends to run."""
RECHECK_SECONDS: Final = 1.0

_IMAGE = re.compile(r"[a-z0-9]+([._/:@-]+[A-Za-z0-9]+)*")
_EXIT = re.compile(r"(?:^|[\s;&|])exit ([1-9][0-9]*)\b")


class Obstacle(NamedTuple):
    """Why a container cannot start: the kubelet's reason and message."""

    container: str
    reason: str
    message: str


class Kubelet:
    """Takes each pod one step further: scheduled, started, ended."""

    resources = ("pods", "persistentvolumeclaims", "secrets", "configmaps")

    def concerns(self, entry: Entry, world: World) -> Iterable[Key]:
        """The pod itself, or the pods that wait in the namespace of something they may need."""
        if entry.key.resource == "pods":
            return (entry.key,)
        pods = world.all_of("pods", entry.key.namespace)
        return [pod.key for pod in pods if (pod.obj.get("status") or {}).get("phase") in (None, "Pending")]

    async def reconcile(self, key: Key, world: World) -> float | None:
        """One step."""
        pod = world.find(key)
        if pod is None or pod.stored.deleting:
            return None
        phase = (pod.obj.get("status") or {}).get("phase")
        if not pod.obj["spec"].get("nodeName"):
            return await self._schedule(pod, world)
        if phase == "Pending":
            return await self._start(pod, world)
        return await self._end(pod, world) if phase == "Running" else None

    async def _schedule(self, pod: Entry, world: World) -> float | None:
        unbound = _unbound_claim(pod, world)
        now = timestamp()
        status: JsonObject = {**(pod.obj.get("status") or {}), "phase": "Pending", "qosClass": "Burstable"}
        set_condition(
            status, "PodScheduled", value=not unbound, reason="Unschedulable" if unbound else "Scheduled",
            message=unbound, now=now,
        )  # fmt: skip
        if unbound:
            await world.set_status(pod, status)
            return RECHECK_SECONDS
        for kind in ("Initialized", "ContainersReady", "Ready"):
            set_condition(status, kind, value=False, reason="ContainersNotReady", message="starting", now=now)
        status["containerStatuses"] = [_waiting(one, "ContainerCreating", "") for one in _containers(pod)]

        def edit(obj: JsonObject) -> None:
            obj["spec"]["nodeName"] = NODE
            obj["status"] = status

        await world.update(pod, edit)
        await tell(world, pod, "Scheduled", f"Successfully assigned {pod.key.namespace}/{pod.key.name} to {NODE}")
        return START_SECONDS

    async def _start(self, pod: Entry, world: World) -> float | None:
        obstacle = _obstacle(pod, world)
        if obstacle is not None:
            return await self._hold(pod, obstacle, world)
        now = timestamp()
        status: JsonObject = {**pod.obj["status"], "phase": "Running", "startTime": now}
        status.update(hostIP="192.0.2.1", podIP=_address(pod.uid))
        status["containerStatuses"] = [_running(one, now) for one in _containers(pod)]
        for kind in ("Initialized", "ContainersReady", "Ready"):
            set_condition(status, kind, value=True, reason="", message="", now=now)
        await world.set_status(pod, status)
        await tell(world, pod, "Started", "Started all containers (simulated: none really runs)")
        return RUN_SECONDS if _ends(pod) else None

    async def _hold(self, pod: Entry, obstacle: Obstacle, world: World) -> float | None:
        status: JsonObject = {**pod.obj["status"]}
        status["containerStatuses"] = [
            _waiting(one, obstacle.reason, obstacle.message)
            if one["name"] == obstacle.container
            else _waiting(one, "ContainerCreating", "")
            for one in _containers(pod)
        ]
        if await world.set_status(pod, status):
            await tell(world, pod, obstacle.reason, obstacle.message, kind="Warning")
        return RECHECK_SECONDS if obstacle.reason == "CreateContainerConfigError" else None

    async def _end(self, pod: Entry, world: World) -> float | None:
        if not _ends(pod):
            return None
        code, now = exit_code(pod), timestamp()
        status: JsonObject = {**pod.obj["status"]}
        if code and pod.obj["spec"].get("restartPolicy") != "Never":
            message = f"back-off restarting failed container in pod {pod.key.name}"
            status["containerStatuses"] = [_crashing(one, code, now, message) for one in _containers(pod)]
            for kind in ("ContainersReady", "Ready"):
                set_condition(status, kind, value=False, reason="ContainersNotReady", message=message, now=now)
            if await world.set_status(pod, status):
                await tell(world, pod, "BackOff", message, kind="Warning")
            return None
        status["phase"] = "Failed" if code else "Succeeded"
        status["containerStatuses"] = [_terminated(one, code, now) for one in _containers(pod)]
        for kind in ("ContainersReady", "Ready"):
            set_condition(status, kind, value=False, reason="PodCompleted", message="", now=now)
        await world.set_status(pod, status)
        return None


def _containers(pod: Entry) -> list[JsonObject]:
    return list(pod.obj["spec"].get("containers") or ())


def _ends(pod: Entry) -> bool:
    """Whether the pod would not run for ever: by its restart policy, or because its command fails."""
    return pod.obj["spec"].get("restartPolicy", "Always") != "Always" or bool(exit_code(pod))


def exit_code(pod: Entry) -> int:
    """What a command that plainly fails would exit with: ``false``, or a shell's ``exit 3``."""
    for container in _containers(pod):
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        if words == ["false"]:
            return 1
        for word in words:
            if found := _EXIT.search(word):
                return int(found[1])
    return 0


def _obstacle(pod: Entry, world: World) -> Obstacle | None:
    for container in _containers(pod):
        obstacle = image_obstacle(container["name"], str(container.get("image") or ""))
        if obstacle is not None:
            return obstacle
        missing = _missing_source(pod, container, world)
        if missing:
            return Obstacle(container["name"], "CreateContainerConfigError", missing)
    return None


def image_obstacle(container: str, image: str) -> Obstacle | None:
    """What is wrong with an image, if no registry could have it."""
    if not _IMAGE.fullmatch(image):
        message = f'Failed to apply default image tag "{image}": couldn\'t parse image name'
        return Obstacle(container, "InvalidImageName", message)
    if _cannot_exist(image):
        return Obstacle(container, "ImagePullBackOff", f'Back-off pulling image "{image}": not found')
    return None


def _cannot_exist(image: str) -> bool:
    """Images that no registry has: of the reserved domain ``.invalid`` (RFC 2606), or with a tag that says so."""
    registry = image.partition("/")[0].partition(":")[0] if "/" in image else ""
    return registry.endswith(".invalid") or image.rpartition(":")[2] == "does-not-exist"


def _missing_source(pod: Entry, container: FrozenJson, world: World) -> str:
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        for field, resource in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")):
            reference = source.get(field) or {}
            if reference and not reference.get("optional"):
                name = reference.get("name", "")
                if world.get(resource, pod.key.namespace, name) is None:
                    return f'{resource[:-1]} "{name}" not found'
    return ""


def _unbound_claim(pod: Entry, world: World) -> str:
    for volume in pod.obj["spec"].get("volumes") or ():
        name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if not name:
            continue
        claim = world.get("persistentvolumeclaims", pod.key.namespace, name)
        if claim is None:
            return f'0/1 nodes are available: persistentvolumeclaim "{name}" not found.'
        if (claim.obj.get("status") or {}).get("phase") != "Bound":
            return "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    return ""


def _base(container: FrozenJson) -> JsonObject:
    return {"name": container["name"], "image": container.get("image", ""), "imageID": "", "restartCount": 0}


def _waiting(container: FrozenJson, reason: str, message: str) -> JsonObject:
    state = {"waiting": {"reason": reason, "message": message} if message else {"reason": reason}}
    return {**_base(container), "ready": False, "started": False, "state": state}


def _running(container: FrozenJson, now: str) -> JsonObject:
    identity = f"simulated://{hashlib.sha256(str(container.get('image')).encode()).hexdigest()}"
    return {
        **_base(container),
        "imageID": identity,
        "ready": True,
        "started": True,
        "state": {"running": {"startedAt": now}},
    }


def _terminated(container: FrozenJson, code: int, now: str) -> JsonObject:
    ended = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": now}
    return {**_base(container), "ready": False, "started": False, "state": {"terminated": ended}}


def _crashing(container: FrozenJson, code: int, now: str, message: str) -> JsonObject:
    return {
        **_waiting(container, "CrashLoopBackOff", message),
        "restartCount": 1,
        "lastState": {"terminated": {"exitCode": code, "reason": "Error", "finishedAt": now}},
    }


def _address(uid: str) -> str:
    """An address in the pod network that stays the same for the pod."""
    high, low = hashlib.sha256(uid.encode()).digest()[:2]
    return f"10.244.{high}.{max(1, min(low, 254))}"
