"""What belongs to what: the ``ThreeportWorkload`` objects, as the agent reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.cluster.identity import KindName, ObjectName
from threeport.common.types import FrozenJson


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A WorkloadInstance whose objects are in this cluster."""

    uid: str
    namespace: str
    name: str
    generation: int | None
    applied_hash: str | None
    resources: tuple[ObjectName, ...]
    ending: Mapping[ObjectName, str] = field(default_factory=dict)
    """Those that Kubernetes removes when they have ended, Jobs with ``ttlSecondsAfterFinished``, and the digests of the
    manifests from which they were made."""
    digests: Mapping[ObjectName, str] = field(default_factory=dict)
    """What was applied last of each object, as far as that is told."""
    outdated: Mapping[ObjectName, frozenset[str]] = field(default_factory=dict)
    """What was applied before, until all has been seen as it is now: watches of two kinds are not in step."""
    anew: frozenset[ObjectName] = frozenset()
    """Of those the ones that have another manifest now, until all has been seen: how the former ended says nothing."""
    known_since: float
    """When the agent heard of this list of objects; seconds of the monotonic clock."""

    @property
    def kinds(self) -> set[KindName]:
        """The kinds of its objects."""
        return {resource.of_kind for resource in self.resources}

    def after(self, former: Instance | None) -> Instance:
        """As it is when it follows `former`: the same objects are awaited no longer than they were."""
        if former is None:
            return self
        anew = frozenset(name for name, digest in self.ending.items() if former.ending.get(name) != digest)
        since = former.known_since if former.resources == self.resources and not anew else self.known_since
        return replace(
            self,
            known_since=since,
            anew=(anew | former.anew) & self.ending.keys(),
            outdated={name: former.digests_until(name) - {digest} for name, digest in self.digests.items()},
        )

    def digests_until(self, name: ObjectName) -> frozenset[str]:
        """What was applied of an object, as long as it may still be seen so."""
        return self.outdated.get(name, frozenset()) | {self.digests[name]} if name in self.digests else frozenset()

    def settled(self) -> Instance:
        """As it is when all objects have been seen as they were applied last."""
        return replace(self, known_since=float("-inf"), anew=frozenset(), outdated={})


def instance_of(workload: FrozenJson, *, now: float) -> Instance:
    """Reads the spec of a ``ThreeportWorkload``; `now` is the monotonic clock in seconds."""
    spec = workload["spec"]
    reference = spec["instance"]
    named = [(_name_of(item), item) for item in spec.get("resources") or ()]
    return Instance(
        uid=reference["uid"],
        namespace=reference["namespace"],
        name=reference["name"],
        generation=reference.get("generation"),
        applied_hash=spec.get("appliedHash"),
        resources=tuple(name for name, _ in named),
        ending={name: item["applied"] for name, item in named if item.get("applied")},
        digests={name: item["digest"] for name, item in named if item.get("digest")},
        known_since=now,
    )


def _name_of(item: FrozenJson) -> ObjectName:
    return ObjectName(item["apiVersion"], item["kind"], item.get("namespace") or "", item["name"])
