"""Pods as people ask for them: whose they are, how they do, and which of them a word or a selector means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.health import assess
from threeport.kube.health.fields import condition, part
from threeport.kube.health.verdict import Verdict

_SCHEDULED: Final = re.compile(r"(.+)-\d+")
"""A Job of a CronJob: its name and the minute."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod; init containers that have ended are told apart by `init`."""

    name: str
    init: bool
    started: bool
    """Whether it runs or has run: then there is a log."""
    running: bool
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
        return condition(self.obj, "Ready").get("status") == "True" and not self.obj["metadata"].get(
            "deletionTimestamp"
        )

    @property
    def owner(self) -> tuple[str, str] | None:
        """Kind and name of the controller that made it."""
        owners = self.obj["metadata"].get("ownerReferences") or ()
        return next(((one["kind"], one["name"]) for one in owners if one.get("controller")), None)

    @property
    def cron_job(self) -> str | None:
        """The CronJob whose Job it is for, if that bears such a name."""
        kind, name = self.owner or ("", "")
        scheduled = _SCHEDULED.fullmatch(name) if kind == "Job" else None
        return scheduled[1] if scheduled else None

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
                running = bool(part(state, "state", "running"))
                restarts = int(state.get("restartCount") or 0)
                started = running or bool(part(state, "state", "terminated")) or restarts > 0
                found.append(Container(one["name"], init, started, running, restarts))
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

    def health(self) -> Verdict:
        """How it does, and the sentence that explains it."""
        return assess("v1", "Pod", self.obj)

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
    """The pods that a Service, Deployment, or another object with a ``spec.selector`` means, or that a CronJob has
    started; none of other objects."""
    metadata = owner.get("metadata") or {}
    pods = [pod for pod in pods if pod.namespace == metadata.get("namespace", pod.namespace)]
    if owner.get("kind") == "CronJob":
        return [pod for pod in pods if pod.cron_job == metadata["name"]]
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


def _declared_ports(obj: FrozenJson) -> list[JsonObject]:
    containers = (obj.get("spec") or {}).get("containers") or ()
    return [port for container in containers for port in container.get("ports") or ()]
