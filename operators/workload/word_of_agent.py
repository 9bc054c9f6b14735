"""The agent's word: a report that shows parts changed or gone after they had settled makes the cluster be compared now.

A report says of each part which generation of it was seen. One that rises while nothing was applied was raised by
somebody else. Objects without generations (ConfigMaps) are compared on the timer only, except that they are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from operators.workload.drift import IGNORE, policy_of
from threeport.common.types import FrozenJson
from threeport.resources.manifests import ObjectId

PACE: Final = 60.0
"""Seconds at least between two looks at one instance that reports ask for: an autoscaler would ask without end."""

Parts: TypeAlias = Mapping[ObjectId, int | None]
"""Generation of the parts that are there; None for kinds that count none."""


class Told(NamedTuple):
    """What the last report on an instance said, and when (monotonic, seconds) a look was asked for, or will be."""

    applied_hash: str | None
    parts: Parts
    asked: float

    def asking(self, now: float) -> tuple[Told, float | None]:
        """What is known when another look is wanted, and in how many seconds to ask for it: at once, or when the last
        one is `PACE` seconds ago; None if one is to be asked for anyway."""
        if self.asked > now:
            return self, None
        at = max(now, self.asked + PACE)
        return self._replace(asked=at), at - now


def told_by(report: FrozenJson, former: Told | None) -> Told:
    """A report reduced to what the next one is compared with."""
    spec = report["spec"]
    parts = {_id_of(part): part.get("generation") for part in spec.get("resources") or () if not _is_missing(part)}
    return Told(spec.get("appliedHash"), parts, former.asked if former is not None else float("-inf"))


def hints_at_drift(former: Told | None, new: Told, instance: FrozenJson) -> bool:
    """Whether the cluster of the instance should be compared now, since a part changed that nobody of us changed."""
    metadata, status = instance["metadata"], instance.get("status") or {}
    if former is None or former.applied_hash != new.applied_hash:
        return False
    is_settled = (
        not metadata.get("deletionTimestamp")
        and status.get("observedGeneration") == metadata.get("generation")
        and status.get("appliedHash") == new.applied_hash
    )
    changed = any(_has_changed(seen, identity, new.parts) for identity, seen in former.parts.items())
    return is_settled and changed and policy_of(instance) != IGNORE


def is_lost(report: FrozenJson, instance: FrozenJson) -> bool:
    """Whether a report that was deleted was the one of where the instance is: its agent finds in the cluster no word of
    it any more, which somebody has removed, if it is not another cluster altogether."""
    metadata, status = instance["metadata"], instance.get("status") or {}
    is_here = (report["spec"].get("runtimeRef") or {}).get("name") == status.get("runtime")
    return is_here and bool(status.get("appliedHash")) and not metadata.get("deletionTimestamp")


def _has_changed(seen: int | None, identity: ObjectId, parts: Parts) -> bool:
    """Whether a part is gone, or of another generation. One without has not been seen by the agent, or has none."""
    return identity not in parts or None not in (seen, parts[identity]) and parts[identity] != seen


def _id_of(part: FrozenJson) -> ObjectId:
    group = str(part["apiVersion"]).rpartition("/")[0]
    return ObjectId(group, str(part["kind"]), str(part.get("namespace") or ""), str(part["name"]))


def _is_missing(part: FrozenJson) -> bool:
    return part.get("health") == "Down" and str(part.get("message") or "").startswith("missing")
