"""Kubernetes Events by the object that they are about: bounded, and each kept once however often it is repeated."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.workload import ReportedEvent

CAPACITY: Final = 20_000
"""Events kept of the whole cluster; the ones heard of first go first."""

NEWEST: Final = 20
"""Events in one report."""

LONGEST_MESSAGE: Final = 1000


class Events:
    """The Events of the cluster. `on_change` is called with the uid of the object that a new one is about."""

    def __init__(self, on_change: Callable[[str], None], *, capacity: int = CAPACITY) -> None:
        self._on_change = on_change
        self._capacity = capacity
        self._subject: OrderedDict[str, str] = OrderedDict()
        self._about: dict[str, dict[str, ReportedEvent]] = {}

    def newest(self, subjects: Iterable[str]) -> list[ReportedEvent]:
        """The newest Events about the objects with these uids, newest last."""
        found = [event for uid in subjects for event in self._about.get(uid, {}).values()]
        return sorted(found, key=lambda event: (event.last_seen or "", event.uid))[-NEWEST:]

    def complaint(self, subject: str) -> ReportedEvent | None:
        """The newest Event about the object with this uid if it is a warning: nothing was better since."""
        newest = self.newest([subject])[-1:]
        return newest[0] if newest and newest[0].type == "Warning" else None

    def seen(self, obj: JsonObject) -> None:
        """Notes an Event, new or repeated."""
        subject = (obj.get("involvedObject") or {}).get("uid")
        if not subject:
            return
        event = reported(obj)
        if self._about.get(subject, {}).get(event.uid) == event:
            return
        self._about.setdefault(subject, {})[event.uid] = event
        self._subject[event.uid] = subject
        while len(self._subject) > self._capacity:
            self._forget(next(iter(self._subject)))
        self._on_change(subject)

    def gone(self, obj: JsonObject) -> None:
        """Forgets an Event that the cluster has forgotten. That changes no report: nothing has happened."""
        self._forget(obj["metadata"]["uid"])

    def synced(self, uids: set[str]) -> None:
        """Forgets all Events but these."""
        for uid in [uid for uid in self._subject if uid not in uids]:
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        subject = self._subject.pop(uid, None)
        if subject is None:
            return
        about = self._about.get(subject, {})
        about.pop(uid, None)
        if not about:
            self._about.pop(subject, None)


def reported(obj: FrozenJson) -> ReportedEvent:
    """An Event of the core group as a report tells it. Events of the newer API carry their count in ``series``."""
    series = obj.get("series") or {}
    about = obj.get("involvedObject") or {}
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or obj.get("eventTime")
    return ReportedEvent(
        uid=obj["metadata"]["uid"],
        type=obj.get("type") or "Normal",
        reason=obj.get("reason") or "",
        message=(obj.get("message") or "")[:LONGEST_MESSAGE],
        count=series.get("count") or obj.get("count") or 1,
        last_seen=last or obj["metadata"].get("creationTimestamp"),
        object=f"{about.get('kind', '')}/{about.get('name', '')}",
    )
