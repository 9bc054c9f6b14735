"""One open watch: names events and puts them into lines, which go out in large pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from threeport.common.types import JsonObject
from threeport.krm.interfaces import Bookmark, Caller
from threeport.krm.negotiation import Form
from threeport.krm.paths import Target
from threeport.krm.reading.selection import Selection
from threeport.krm.watching.client import ClientState
from threeport.krm.watching.options import WatchOptions
from threeport.krm.watching.renditions import Rendition, Renditions
from threeport.krm.watching.selecting import matches, selects
from threeport.store.records import StoredObject

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_CHUNK = 64 * 1024
"""Bytes of events that are sent in one go."""
_BOOKMARKED = {
    Form.TABLE: ("Table", "meta.k8s.io/v1"),
    Form.METADATA: ("PartialObjectMetadata", "meta.k8s.io/v1"),
}
"""Kind and version of a bookmark where they are not those of the objects."""


@dataclass(slots=True, eq=False, kw_only=True)
class Watch:
    """An open watch. What is put into it is sent by `flush`, in one go: a write costs more than what it carries."""

    caller: Caller
    target: Target
    selection: Selection
    options: WatchOptions
    form: Form
    include: str
    """``includeObject`` of Tables."""
    response: web.StreamResponse
    renditions: Renditions
    client: ClientState = field(default_factory=ClientState)
    timeout: asyncio.Timeout | None = None
    """When it ends, from the moment that it is served."""
    lines: list[bytes] = field(default_factory=list)
    """Events that are to be sent."""
    size: int = 0
    """Bytes of them, about."""

    @property
    def is_full(self) -> bool:
        """Whether there is enough to send."""
        return self.size >= _CHUNK

    def cut(self) -> None:
        """Ends the watch; the client resumes from what it saw last, here or at another server."""
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(0)

    def put(self, item: StoredObject | Bookmark) -> None:
        """Adds what the stream has brought to what is sent next, if the client has asked for it."""
        if isinstance(item, Bookmark):
            if self.options.bookmarks:
                self.put_bookmark(item.revision)
        elif selects(self.selection, item) and not self.client.is_old_news(item):
            gone = item.deleted or not matches(self.selection, item)
            rendition = self._rendition(item)
            event = "DELETED" if gone else "ADDED" if self.client.is_new(item, rendition.created) else "MODIFIED"
            self.put_event(event, rendition.raw)

    async def send_listed(self, objects: Iterable[StoredObject]) -> None:
        """Sends a part of the current state."""
        for obj in objects:
            self.client.listing(obj)
            self.put_event("ADDED", self._rendition(obj).raw)
            if self.is_full:
                await self.flush()
        await self.flush()

    def put_bookmark(self, revision: int, *, ended: bool = False) -> None:
        """Adds a bookmark; `ended`: it tells the end of the current state."""
        kind = self.target.kind
        name, version = _BOOKMARKED.get(self.form, (kind.kind, kind.api_version))
        metadata: JsonObject = {"resourceVersion": str(revision), "creationTimestamp": None}
        if ended:
            metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
        extra: JsonObject = {"columnDefinitions": [], "rows": []} if self.form is Form.TABLE else {}
        bookmark = {"kind": name, "apiVersion": version, "metadata": metadata, **extra}
        self.put_event("BOOKMARK", orjson.dumps(bookmark))

    def put_event(self, event: str, raw: bytes) -> None:
        """Adds an event of a type such as ``ADDED`` with the JSON of its object."""
        self.lines.append(b'{"type":"%s","object":%s}\n' % (event.encode(), raw))
        self.size += len(raw)

    async def flush(self) -> None:
        """Sends what was added."""
        if self.lines:
            data, self.lines, self.size = b"".join(self.lines), [], 0
            await self.response.write(data)

    def _rendition(self, obj: StoredObject) -> Rendition:
        return self.renditions.of(self.target.kind, obj, self.caller.controller, self.form, self.include)
