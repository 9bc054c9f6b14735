"""Watches that last: they resume after a cut, list again when they came too late, and never go back in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

from threeport.client.errors import Unreachable, error_from_status
from threeport.client.objects import decode_json
from threeport.client.paths import collection_path
from threeport.client.transport import Transport, pause_after
from threeport.common.errors import Expired, ServiceUnavailable, TooManyRequests, Unauthorized
from threeport.common.types import JsonObject
from threeport.resources.kind import Kind

logger = logging.getLogger(__name__)

T = TypeVar("T")
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
PAGE = 500
STEADY = 1.0
"""Seconds after which a stream that ends has been one: where streams end at once and bring nothing, each is begun after
a longer pause than the one before."""


class WatchEvent(NamedTuple, Generic[T]):
    """One change: what happened, and the object as it is now (DELETED: as it last was). Callers see no BOOKMARK."""

    type: EventType
    object: T


@dataclass(slots=True)
class Watch:
    """One watch of a collection, from a list or from a given revision on.

    Without `since` it first gives every object as ADDED; if the server forgets where it was (410), it lists again and
    gives what differs from what it gave before, deletions included (those with no more than the metadata).
    With `since` a 410 is raised as `Expired`.
    """

    transport: Transport
    kind: Kind
    namespace: str | None
    query: Mapping[str, str]
    since: str | None = None
    _given: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    """What was given so far: metadata (namespace, name, uid, resourceVersion) by namespace and name."""

    async def events(self) -> AsyncGenerator[WatchEvent[JsonObject], None]:
        """All changes, without end. Raises what the first request raises; later cuts are bridged, except 401 twice in
        a row, 403 and 404, which a person has to mend."""
        position = self.since
        failures = idle = 0
        while True:
            begun, told = time.monotonic(), False
            try:
                if position is None:
                    listed, position = await self._list()
                    for event in listed:
                        told = True
                        yield event
                async with aclosing(self._stream(position)) as stream:
                    async for sent in stream:
                        failures = 0
                        position = sent.object["metadata"]["resourceVersion"]
                        event = self._as_seen_here(sent)
                        if event.type != "BOOKMARK" and self._remember(event):
                            told = True
                            yield event
            except Expired:
                if self.since is not None:
                    raise
                position = None
            except (TooManyRequests, ServiceUnavailable, Unreachable, Unauthorized) as error:
                if position is None and not self._given or (isinstance(error, Unauthorized) and failures):
                    raise
                logger.info("watch of %s is interrupted, will resume: %s", self.kind.resource, error.message)
                await asyncio.sleep(pause_after(failures, error))
                failures += 1
                continue
            if told or time.monotonic() - begun > STEADY:
                idle = 0
            else:
                await asyncio.sleep(pause_after(idle))
                idle += 1

    async def _list(self) -> tuple[list[WatchEvent[JsonObject]], str]:
        """All objects, as events relative to what was given before; and the position to watch from."""
        events: list[WatchEvent[JsonObject]] = []
        found: set[tuple[str, str]] = set()
        more = ""
        while True:
            query = {**self.query, "limit": str(PAGE), **({"continue": more} if more else {})}
            answer = await self.transport.request("GET", collection_path(self.kind, self.namespace), query=query)
            page = decode_json(answer.body)
            for obj in page.get("items") or ():
                obj = {"apiVersion": self.kind.api_version, "kind": self.kind.kind, **obj}
                key = _key(obj)
                found.add(key)
                event = WatchEvent[JsonObject]("MODIFIED" if key in self._given else "ADDED", obj)
                if self._remember(event):
                    events.append(event)
            more = page["metadata"].get("continue") or ""
            if not more:
                break
        gone = [stub for key, stub in self._given.items() if key not in found]
        for stub in gone:
            del self._given[_key(stub)]
        return [WatchEvent[JsonObject]("DELETED", stub) for stub in gone] + events, page["metadata"]["resourceVersion"]

    async def _stream(self, position: str) -> AsyncGenerator[WatchEvent[JsonObject], None]:
        """Events of one connection, bookmarks included; ends when the server ends it. Raises what it says."""
        query = {
            **self.query, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": position,
        }  # fmt: skip
        async with self.transport.stream(collection_path(self.kind, self.namespace), query) as content:
            rest = b""
            async for chunk in content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        yield _parse(decode_json(line))

    def _as_seen_here(self, event: WatchEvent[JsonObject]) -> WatchEvent[JsonObject]:
        """ADDED or MODIFIED by what was given here. A server judges by one connection: an object that was created
        lately is ADDED to it once more when the watch begins or resumes."""
        if self.since is not None or event.type not in ("ADDED", "MODIFIED"):
            return event
        known = self._given.get(_key(event.object))
        same = known is not None and known["metadata"]["uid"] == event.object["metadata"]["uid"]
        return WatchEvent("MODIFIED" if same else "ADDED", event.object)

    def _remember(self, event: WatchEvent[JsonObject]) -> bool:
        """Notes what is given; False for what was given already (servers may repeat themselves)."""
        metadata = event.object["metadata"]
        key = _key(event.object)
        known = self._given.get(key)
        if event.type == "DELETED":
            # After a list all that lives is known, so what is not known was gone before; servers repeat that, too.
            if self.since is None and (known is None or known["metadata"]["uid"] != metadata["uid"]):
                return False
            self._given.pop(key, None)
            return True
        if known and known["metadata"]["resourceVersion"] == metadata["resourceVersion"]:
            return False
        kept = {name: metadata[name] for name in ("namespace", "name", "uid", "resourceVersion") if name in metadata}
        self._given[key] = {"apiVersion": self.kind.api_version, "kind": self.kind.kind, "metadata": kept}
        return True


def _parse(event: JsonObject) -> WatchEvent[JsonObject]:
    """One line of the stream. Raises the error of an ERROR event."""
    if event["type"] == "ERROR":
        raise error_from_status(event["object"])
    return WatchEvent(event["type"], event["object"])


def _key(obj: JsonObject) -> tuple[str, str]:
    return obj["metadata"].get("namespace") or "", obj["metadata"]["name"]
