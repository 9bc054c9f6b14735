"""Kubernetes Events by the object that they are about: bounded, and each kept once however often it is repeated."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Final

from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.workload import ReportedEvent

CAPACITY: Final = 20_000
"""Events kept of the whole cluster."""

NEWEST: Final = 20
"""Events in one report."""

LONGEST_MESSAGE: Final = 1000


class Events:
    """The Events of the cluster.

    `on_change` is called with the uid of the object that a new one is about, `on_known` when they need not be awaited
    any longer. Where they don't all fit, those go first that are about objects of which `is_ours` is false, then the
    oldest: what others do in the cluster, and the order of a list, do not decide what is told.
    """

    def __init__(
        self,
        on_change: Callable[[str], None],
        *,
        on_known: Callable[[], None] = lambda: None,
        is_ours: Callable[[str], bool] = lambda uid: True,
        capacity: int = CAPACITY,
    ) -> None:
        self._on_change = on_change
        self._on_known = on_known
        self._is_ours = is_ours
        self._capacity = capacity
        self._listed: set[str] | None = None
        """Uids of those that were seen since a list began, and are kept; None between lists."""
        self.awaited = True
        """Whether there is more to come: while a list is half read, others are the newest than when all is known."""
        self._subject: dict[str, str] = {}
        self._about: dict[str, dict[str, ReportedEvent]] = {}

    def newest(self, subjects: Iterable[str]) -> list[ReportedEvent]:
        """The newest Events about the objects with these uids, newest last."""
        found = [event for uid in subjects for event in self._about.get(uid, {}).values()]
        return sorted(found, key=lambda event: (event.last_seen or "", event.uid))[-NEWEST:]

    def newest_reason(self, subject: str) -> str:
        """The reason of the newest Event about the object with this uid, or nothing."""
        return next((event.reason for event in reversed(self.newest([subject]))), "")

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
        if self._listed is not None:
            self._listed.add(event.uid)
        if self._about.get(subject, {}).get(event.uid) == event:
            return
        self._about.setdefault(subject, {})[event.uid] = event
        self._subject[event.uid] = subject
        if len(self._subject) > self._capacity:
            self._make_room()
        self._on_change(subject)

    def gone(self, obj: JsonObject) -> None:
        """Forgets an Event that the cluster has forgotten. That changes no report: nothing has happened."""
        self._forget(obj["metadata"]["uid"])

    def listing(self) -> None:
        """Begins to note what the list holds."""
        self._listed = set()

    def synced(self) -> None:
        """Forgets all Events that the list did not hold; they are known now."""
        listed, self._listed = self._listed or set(), None
        for uid in [uid for uid in self._subject if uid not in listed]:
            self._forget(uid)
        self.go_without()

    def go_without(self) -> None:
        """Awaits them no longer, whether they are known or cannot be."""
        if self.awaited:
            self.awaited = False
            self._on_known()

    def _make_room(self) -> None:
        """Forgets a tenth of them at once, since finding out which takes time."""

        def worth(uid: str) -> tuple[bool, str, str]:
            subject = self._subject[uid]
            return self._is_ours(subject), self._about[subject][uid].last_seen or "", uid

        excess = len(self._subject) - self._capacity + self._capacity // 10
        for uid in heapq.nsmallest(excess, self._subject, key=worth):
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        if self._listed is not None:
            self._listed.discard(uid)
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
