"""The few words that are kept of each labelled object, found by name and by instance.

An object itself is forgotten as soon as it is assessed: what stays of a pod is well below one kilobyte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from agent.cluster.identity import KindName, ObjectName
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.health import assess
from threeport.kube.health.batch import last_word_of
from threeport.kube.health.fields import items, part
from threeport.kube.health.pod import Restart, restart_of
from threeport.kube.health.replicas import available_pods
from threeport.kube.health.verdict import Verdict
from threeport.kube.labels import APPLIED_ANNOTATION, INSTANCE_LABEL


class Sight(Enum):
    """What the agent can say of a kind."""

    PENDING = auto()
    """Its objects are not listed yet."""
    COMPLETE = auto()
    ABSENT = auto()
    """The cluster does not know the kind."""
    DENIED = auto()
    """The agent may not watch it."""
    FAILING = auto()
    """The cluster answers with errors."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of an object."""

    name: ObjectName
    uid: str
    instance: str
    owner: str
    """Uid of its controlling owner, or empty."""
    verdict: Verdict
    generation: int | None
    available: int
    """How many pods of it serve, for kinds that keep pods."""
    restart: Restart | None
    """Of a pod whose container runs again."""
    digest: str
    """Of the manifest that was applied last, or empty."""
    ended: bool
    """A pod that has run to its end: it explains nothing about the pods that replaced it."""

    def at(self, clock: float) -> Seen:
        """As it is to be judged at this time, in seconds since the epoch: what has only just started again is not well.

        Of a node whose clock is wrong it is not believed that the container will start in the future.
        """
        if self.restart is None or self.verdict.health != "Healthy" or not self.unsteady_for(clock):
            return self
        return replace(self, verdict=Verdict("Degraded", self.restart.message))

    def unsteady_for(self, clock: float) -> float:
        """Seconds until a container that has started again counts as well; 0 if there is none."""
        left = self.restart.steady_at - clock if self.restart is not None else 0.0
        return left if self.restart is not None and 0.0 < left <= self.restart.lasts else 0.0


def condense(kind: KindName, obj: FrozenJson) -> Seen:
    """The few words to keep of a labelled object of `kind`."""
    metadata = obj["metadata"]
    owners = items(obj, "metadata", "ownerReferences")
    owner = next((found["uid"] for found in owners if found.get("controller")), owners[0]["uid"] if owners else "")
    return Seen(
        name=ObjectName.of(kind, obj),
        uid=metadata["uid"],
        instance=(metadata.get("labels") or {}).get(INSTANCE_LABEL, ""),
        owner=owner,
        verdict=assess(kind.api_version, kind.kind, obj),
        generation=metadata.get("generation"),
        available=available_pods(obj),
        restart=restart_of(obj) if kind.kind == "Pod" else None,
        digest=str(part(obj, "metadata", "annotations").get(APPLIED_ANNOTATION) or ""),
        ended=part(obj, "status").get("phase") in ("Failed", "Succeeded"),
    )


class Objects:
    """All labelled objects of the watched kinds. `on_change` is called with the uid of the instance concerned."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._by_name: dict[ObjectName, Seen] = {}
        self._of_instance: dict[str, dict[str, Seen]] = {}
        self._instance_of: dict[str, str] = {}
        self._last_words: dict[str, dict[ObjectName, Verdict]] = {}
        self._sight: dict[KindName, Sight] = {}
        self._why: dict[KindName, str] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, name: ObjectName) -> Seen | None:
        """The object of this name, if it is there and labelled."""
        return self._by_name.get(name)

    def of_instance(self, uid: str) -> dict[str, Seen]:
        """The objects of an instance by their uids, pods and ReplicaSets included."""
        return self._of_instance.get(uid, {})

    def instance_of(self, uid: str) -> str | None:
        """The uid of the instance that the object with this uid belongs to."""
        return self._instance_of.get(uid)

    def sight(self, kind: KindName) -> Sight:
        """What can be said of a kind."""
        return self._sight.get(kind, Sight.PENDING)

    def why(self, kind: KindName) -> str:
        """What the cluster said when `Sight.FAILING` was noted of a kind."""
        return self._why.get(kind, "")

    def set_sight(self, kind: KindName, sight: Sight, why: str = "") -> bool:
        """Notes what can be said of a kind; whether that is new. `why` is kept as it was when it was."""
        former = self._sight.get(kind)
        self._sight[kind] = sight
        if former is not sight:
            self._why[kind] = why
        return former is not sight

    def put(self, seen: Seen) -> None:
        """Notes an object as it is now."""
        former = self._by_name.get(seen.name)
        if former == seen:
            return
        if former is not None:
            self._drop(former)
        self._by_name[seen.name] = seen
        self._of_instance.setdefault(seen.instance, {})[seen.uid] = seen
        self._instance_of[seen.uid] = seen.instance
        self._last_words.get(seen.instance, {}).pop(seen.name, None)
        self._on_change(seen.instance)

    def remove(self, name: ObjectName, uid: str, last_word: Verdict | None = None) -> None:
        """Forgets an object, unless another of its name has followed it. Of one that nobody but the instance made, its
        `last_word` is kept."""
        seen = self._by_name.get(name)
        if seen is not None and seen.uid == uid:
            self._drop(seen)
            if last_word is not None and not seen.owner:
                self._last_words.setdefault(seen.instance, {})[name] = last_word
            self._on_change(seen.instance)

    def last_words(self, instance: str) -> Mapping[ObjectName, Verdict]:
        """What objects of the instance were when they went, as far as that was seen and is kept."""
        return self._last_words.get(instance, {})

    def forget_instance(self, instance: str) -> None:
        """Forgets what is kept of objects of the instance that are gone."""
        self._last_words.pop(instance, None)

    def keep_only(self, kind: KindName, uids: set[str]) -> None:
        """Forgets what is of `kind` and not among `uids`."""
        for seen in list(self._of_kind(kind)):
            if seen.uid not in uids:
                self.remove(seen.name, seen.uid)

    def forget_kind(self, kind: KindName) -> None:
        """Forgets a kind that is no longer watched."""
        self.keep_only(kind, set())
        self._sight.pop(kind, None)
        self._why.pop(kind, None)

    def _of_kind(self, kind: KindName) -> Iterator[Seen]:
        return (seen for seen in self._by_name.values() if seen.name.of_kind == kind)

    def _drop(self, seen: Seen) -> None:
        self._by_name.pop(seen.name, None)
        self._instance_of.pop(seen.uid, None)
        members = self._of_instance.get(seen.instance, {})
        members.pop(seen.uid, None)
        if not members:
            self._of_instance.pop(seen.instance, None)


class KindSink:
    """Takes what the reflector of one kind sees into `Objects`. `on_sight` is called when the first list is there."""

    def __init__(self, kind: KindName, objects: Objects, on_sight: Callable[[KindName], None]) -> None:
        self._kind = kind
        self._objects = objects
        self._on_sight = on_sight
        self._listed: set[str] | None = None
        """Uids of what was seen since a list began; None between lists."""

    def seen(self, obj: JsonObject) -> None:
        """Keeps a few words of the object."""
        if self._listed is not None:
            self._listed.add(obj["metadata"]["uid"])
        self._objects.put(condense(self._kind, obj))

    def gone(self, obj: JsonObject) -> None:
        """Forgets the object, and keeps how a Job ended: Kubernetes removes those with ``ttlSecondsAfterFinished``."""
        last_word = last_word_of(obj) if self._kind.kind == "Job" else None
        self._objects.remove(ObjectName.of(self._kind, obj), obj["metadata"]["uid"], last_word)

    def listing(self) -> None:
        """Begins to note what the list holds."""
        self._listed = set()

    def synced(self) -> None:
        """From now on an object that was not seen is missing."""
        self._objects.keep_only(self._kind, self._listed or set())
        self._listed = None
        if self._objects.set_sight(self._kind, Sight.COMPLETE):
            self._on_sight(self._kind)
