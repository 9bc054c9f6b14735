"""What the controllers of pods share: making a pod from a template, and counting pods."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from threeport.common.types import FrozenJson, JsonObject
from threeport.simulated.world import Entry

HASH_LABEL = "pod-template-hash"


class PodCounts(NamedTuple):
    """How many of some pods are there, and how many of them serve."""

    all: int
    ready: int


def count(pods: Sequence[Entry]) -> PodCounts:
    """Counts pods that have not ended and are not being deleted."""
    living = [pod for pod in pods if is_living(pod)]
    return PodCounts(len(living), sum(is_ready(pod) for pod in living))


def is_living(pod: Entry) -> bool:
    """Whether the pod is there to stay."""
    return not pod.stored.deleting and phase_of(pod) not in ("Succeeded", "Failed")


def is_ready(pod: Entry) -> bool:
    """Whether the pod serves."""
    conditions = (pod.obj.get("status") or {}).get("conditions") or ()
    return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)


def phase_of(pod: Entry) -> str:
    """Pending, Running, Succeeded or Failed."""
    return str((pod.obj.get("status") or {}).get("phase") or "Pending")


def template_hash(template: FrozenJson) -> str:
    """A short digest that is equal for equal templates."""
    text = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:10]


def owner_reference(owner: Entry, api_version: str, kind: str) -> JsonObject:
    """The reference to the owner that controls an object."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": owner.key.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def new_pod(
    owner: Entry, *, template: FrozenJson, name: str | None = None, labels: FrozenJson | None = None
) -> JsonObject:
    """A pod of the template, owned by `owner`; with a generated name if none is given."""
    given = copy.deepcopy(template.get("metadata") or {})
    naming = {"name": name} if name else {"generateName": f"{owner.key.name}-"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **naming,
            "namespace": owner.key.namespace,
            "labels": {**(given.get("labels") or {}), **(labels or {})},
            "annotations": given.get("annotations") or {},
            "ownerReferences": [owner_reference(owner, owner.obj["apiVersion"], owner.obj["kind"])],
        },
        "spec": copy.deepcopy(template.get("spec") or {}),
    }


def set_condition(status: JsonObject, kind: str, *, value: bool, reason: str, message: str, now: str) -> None:
    """Sets a condition in a status; its transition time changes only with its value."""
    conditions: list[JsonObject] = [dict(found) for found in status.get("conditions") or ()]
    known = next((found for found in conditions if found["type"] == kind), None)
    text = "True" if value else "False"
    since = known["lastTransitionTime"] if known and known["status"] == text else now
    new = {"type": kind, "status": text, "reason": reason, "message": message, "lastTransitionTime": since}
    if known:
        conditions[conditions.index(known)] = new
    else:
        conditions.append(new)
    status["conditions"] = conditions
