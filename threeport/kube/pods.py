"""Pods as people ask for them: whose they are, how they do, and which of them a word or a selector means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.workload import Health

STARTING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Waiting reasons of a container that is only starting (kubelet, ``pkg/kubelet/container``)."""

LONGEST_MESSAGE: Final = 300
"""Characters of what a kubelet says that are shown."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod; init containers that have ended are told apart by `init`."""

    name: str
    init: bool
    started: bool
    """Whether it runs or has run: then there is a log."""
    restarts: int


@dataclass(frozen=True, slots=True)
class Pod:
    """What is asked about a pod, out of the object of the cluster."""

    obj: FrozenJson

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.obj["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace in the cluster."""
        return str(self.obj["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.obj["metadata"]["uid"])

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.obj["metadata"].get("labels") or {}

    @property
    def phase(self) -> str:
        """Pending, Running, Succeeded, Failed or Unknown."""
        return str((self.obj.get("status") or {}).get("phase") or "Pending")

    @property
    def is_over(self) -> bool:
        """Whether all of its containers have ended for good."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def is_ready(self) -> bool:
        """Whether it serves."""
        return _condition(self.obj, "Ready").get("status") == "True" and not self.obj["metadata"].get(
            "deletionTimestamp"
        )

    @property
    def owner(self) -> tuple[str, str] | None:
        """Kind and name of the controller that made it."""
        owners = self.obj["metadata"].get("ownerReferences") or ()
        return next(((one["kind"], one["name"]) for one in owners if one.get("controller")), None)

    def containers(self) -> list[Container]:
        """Its containers, init containers first."""
        spec, status = self.obj.get("spec") or {}, self.obj.get("status") or {}
        found: list[Container] = []
        for field, states, init in (
            ("initContainers", "initContainerStatuses", True),
            ("containers", "containerStatuses", False),
        ):
            known = {state["name"]: state for state in status.get(states) or ()}
            for one in spec.get(field) or ():
                state = known.get(one["name"], {})
                started = bool(_part(state, "state", "running") or _part(state, "state", "terminated"))
                restarts = int(state.get("restartCount") or 0)
                found.append(Container(one["name"], init, started or restarts > 0, restarts))
        return found

    def listens_on(self, port: int) -> bool:
        """Whether one of its containers declares this TCP port."""
        return any(
            declared.get("containerPort") == port and declared.get("protocol", "TCP") == "TCP"
            for declared in _declared_ports(self.obj)
        )

    def port_called(self, name: str) -> int | None:
        """The container port of this name."""
        return next((one["containerPort"] for one in _declared_ports(self.obj) if one.get("name") == name), None)

    def health(self) -> tuple[Health, str]:
        """How it does, and the sentence that explains it."""
        status = self.obj.get("status") or {}
        if self.phase == "Succeeded":
            return "Healthy", "completed"
        trouble = _container_trouble(status)
        if self.phase == "Failed":
            return "Down", trouble or _sentence(status.get("reason"), status.get("message")) or "the pod failed"
        if trouble:
            return "Down", trouble
        scheduled = _condition(self.obj, "PodScheduled")
        if scheduled.get("status") == "False":
            return "Degraded", _sentence(scheduled.get("reason"), scheduled.get("message"))
        if self.is_ready:
            return "Healthy", ""
        if self.obj["metadata"].get("deletionTimestamp"):
            return "Progressing", "is being deleted"
        return "Progressing", str(_condition(self.obj, "Ready").get("message") or "the pod is starting")

    def summary(self) -> JsonObject:
        """The pod in a few fields, for those who look at an application as a whole."""
        health, message = self.health()
        states = (self.obj.get("status") or {}).get("containerStatuses") or ()
        wanted = len((self.obj.get("spec") or {}).get("containers") or ())
        return {
            "namespace": self.namespace,
            "name": self.name,
            "owner": "/".join(self.owner) if self.owner else "",
            "node": (self.obj.get("spec") or {}).get("nodeName") or "",
            "phase": self.phase,
            "ready": f"{sum(bool(state.get('ready')) for state in states)}/{wanted}",
            "restarts": sum(int(state.get("restartCount") or 0) for state in states),
            "createdAt": self.obj["metadata"].get("creationTimestamp"),
            "health": health,
            "message": message,
        }


def selected(pods: Iterable[Pod], owner: FrozenJson) -> list[Pod]:
    """The pods that a Service, Deployment, or another object with a ``spec.selector`` means; none without one."""
    selector = (owner.get("spec") or {}).get("selector") or {}
    if owner.get("kind") != "Service":
        if selector.get("matchExpressions"):
            return [pod for pod in pods if _meets(pod, selector["matchExpressions"], selector.get("matchLabels") or {})]
        selector = selector.get("matchLabels") or {}
    return [pod for pod in pods if selector and selector.items() <= pod.labels.items()]


def _meets(pod: Pod, expressions: Sequence[FrozenJson], labels: Mapping[str, str]) -> bool:
    if not labels.items() <= pod.labels.items():
        return False
    for one in expressions:
        value, values = pod.labels.get(one["key"]), one.get("values") or ()
        holds = {"In": value in values, "NotIn": value not in values, "Exists": value is not None}
        if not holds.get(one["operator"], value is None):
            return False
    return True


def _container_trouble(status: FrozenJson) -> str:
    """Why a container does not run, or nothing."""
    for state in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting = _part(state, "state", "waiting")
        if waiting and waiting.get("reason", "") not in STARTING:
            ended = _part(state, "lastState", "terminated")
            last = f"last exit code {ended['exitCode']}; " if ended.get("exitCode") else ""
            return _sentence(waiting.get("reason"), last + (waiting.get("message") or ""))
        ended = _part(state, "state", "terminated")
        if ended.get("exitCode"):
            return _sentence(ended.get("reason"), f"container {state['name']} ended with exit code {ended['exitCode']}")
    return ""


def _condition(obj: FrozenJson, name: str) -> FrozenJson:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == name), {})


def _declared_ports(obj: FrozenJson) -> list[JsonObject]:
    containers = (obj.get("spec") or {}).get("containers") or ()
    return [port for container in containers for port in container.get("ports") or ()]


def _part(obj: FrozenJson, *path: str) -> FrozenJson:
    for step in path:
        obj = obj.get(step) or {}
    return obj


def _sentence(reason: str | None, message: str | None) -> str:
    text = ": ".join(" ".join(part.split()) for part in (reason, message) if part)
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
