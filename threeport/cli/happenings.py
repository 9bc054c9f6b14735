"""What happened, in the Threeport API and in the clusters, as one kind of thing.

The API has Events about its objects; agents bring the Events of clusters within WorkloadReports. Repeats are counted,
not repeated, and all come in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from threeport.cli.console import age_since
from threeport.cli.times import parse_time
from threeport.common.types import FrozenJson


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened once or several times."""

    id: str
    """The same each time that it happens again."""
    last_seen: str
    type: str
    reason: str
    object: str
    """``Kind/name``"""
    where: str
    """The cluster; empty for the Threeport API itself."""
    namespace: str
    message: str
    count: int = 1

    @property
    def moment(self) -> float:
        """When it happened last, in seconds since the epoch."""
        return parse_time(self.last_seen) or 0.0

    def row(self, *, with_namespace: bool) -> list[str]:
        """Its cells in a table."""
        age = age_since(self.moment) if self.moment else ""
        repeats = f" (x{self.count})" if self.count > 1 else ""
        row = [age, self.type, self.reason, self.object, self.where, f"{self.message}{repeats}"]
        return [self.namespace, *row] if with_namespace else row


def header(*, with_namespace: bool) -> list[str]:
    """The names of the cells."""
    row = ["Last seen", "Type", "Reason", "Object", "Cluster", "Message"]
    return ["Namespace", *row] if with_namespace else row


def of_event(event: FrozenJson) -> Happening:
    """What an Event of the API tells."""
    about = event.get("involvedObject") or {}
    metadata = event["metadata"]
    last = event.get("lastTimestamp") or event.get("eventTime") or metadata.get("creationTimestamp") or ""
    return Happening(
        id=str(metadata["uid"]),
        last_seen=last,
        type=event.get("type") or "Normal",
        reason=event.get("reason") or "",
        object=f"{about.get('kind', '')}/{about.get('name', '')}",
        where="",
        namespace=str(about.get("namespace") or metadata.get("namespace") or ""),
        message=event.get("message") or "",
        count=event.get("count") or 1,
    )


def of_report(report: FrozenJson) -> Iterator[Happening]:
    """What an agent tells of its cluster's Events."""
    spec = report["spec"]
    for event in spec.get("events") or ():
        yield Happening(
            id=f"{spec['runtimeRef']['name']}/{event['uid']}",
            last_seen=event.get("lastSeen") or "",
            type=event.get("type") or "Normal",
            reason=event.get("reason") or "",
            object=event.get("object") or "",
            where=spec["runtimeRef"]["name"],
            namespace=report["metadata"]["namespace"],
            message=event.get("message") or "",
            count=event.get("count") or 1,
        )


def merged(happenings: Iterable[Happening]) -> list[Happening]:
    """The oldest first; those that say the same of the same object are one, seen last when the last was."""
    found: dict[tuple[str, ...], Happening] = {}
    for one in sorted(happenings, key=lambda each: each.moment):
        key = (one.where, one.namespace, one.object, one.type, one.reason, one.message)
        earlier = found.pop(key, None)
        found[key] = replace(one, count=one.count + earlier.count) if earlier else one
    return list(found.values())


class Shown:
    """What has been shown already, so that those who follow see what is new.

    It is known for each object that tells of happenings, an Event or the report of an agent, and only of what that
    object still tells: who follows for days keeps no more than there is.
    """

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, tuple[int, float]]] = {}

    def news(self, teller: str, told: Sequence[Happening]) -> list[Happening]:
        """Of all that the object with uid `teller` tells, what has not been shown, or has happened again since. From
        now on it counts as shown."""
        before, now = self._counts.pop(teller, {}), dict[str, tuple[int, float]]()
        together = merged(told)
        for one in (*told, *together):
            now[one.id] = max(_times(one), now.get(one.id, _NEVER), before.get(one.id, _NEVER))
        if now:
            self._counts[teller] = now
        return [one for one in together if _times(one) > before.get(one.id, _NEVER)]

    def forget(self, teller: str) -> None:
        """The object is gone."""
        self._counts.pop(teller, None)

    def __len__(self) -> int:
        return sum(map(len, self._counts.values()))


_NEVER = (0, 0.0)


def _times(one: Happening) -> tuple[int, float]:
    return one.count, one.moment
