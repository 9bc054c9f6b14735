"""WATCH: the events of a selection as lines of JSON, for as long as the client listens.

Where the events come from, and that none is missing, is the business of the `EventSource`; here they are selected,
named and sent. The name of an event is decided without keeping the state of every watch:

- DELETED: the object is gone, or its labels no longer match the selector and once did (so the client may know it);
- ADDED: it was created within the last seconds before the event, and was not yet ADDED to this watch;
- MODIFIED: everything else. Clients of Kubernetes take a MODIFIED of an object that they do not know for an ADDED.

An event may come twice; within one object they never go backwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from threeport.common.errors import ApiError, BadRequest, Expired
from threeport.common.ids import shard_of
from threeport.common.revisions import SECOND, micros_of
from threeport.common.types import JsonObject
from threeport.krm.answers import JSON
from threeport.krm.interfaces import Action, Bookmark, Caller, EventStream
from threeport.krm.negotiation import Form, is_true
from threeport.krm.options import check_initial_events
from threeport.krm.paths import Target
from threeport.krm.reading import Reader, Selection, names_one, parse_number, resume_point
from threeport.krm.renditions import Renditions
from threeport.krm.selectors import labels_match
from threeport.krm.services import Services
from threeport.store.records import Key, StoredObject

logger = logging.getLogger(__name__)

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_LONGEST_WATCH = 3600.0
_CHECK_PERIOD = 5.0
"""Seconds between checks whether those who watch still may."""
_PAGE = 500
_NEW_FOR = 10
"""Seconds after creation in which an event may be an ADDED."""
_RECENT = 1000
_CHUNK = 64 * 1024
"""Bytes of events that are sent in one go."""
_CROWD = 50
_TURN, _LONGEST_TURN = 150e-6, 0.1
"""With more than `_CROWD` watches, each waits so many seconds per watch after it has sent all it had, so that what
happens meanwhile goes out together: of 500 watches each sends 13 times a second, unless it has much to send."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What a watch asks for. `since` None: from now on; `state_first`: after the current state as ADDED."""

    since: int | None
    state_first: bool
    initial_end: bool
    """Whether a bookmark tells the end of the current state."""
    bookmarks: bool
    seconds: float


def parse_watch_options(query: Mapping[str, str]) -> WatchOptions:
    """The options in the query of a WATCH. Raises `BadRequest`."""
    since = parse_number(query, "resourceVersion")
    wanted = is_true(query, "sendInitialEvents")
    refused = "sendInitialEvents" in query and not wanted
    check_initial_events(query)
    seconds = parse_number(query, "timeoutSeconds")
    return WatchOptions(
        since=since or None,
        state_first=wanted or (not since and not refused),
        initial_end=wanted,
        bookmarks=is_true(query, "allowWatchBookmarks"),
        seconds=min(float(seconds or _LONGEST_WATCH), _LONGEST_WATCH),
    )


@dataclass(slots=True)
class ClientState:
    """What one watch knows of its client."""

    listed: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    """Uid and revision of the objects that the client was given first, as it has them now, by namespace and name."""
    recent: dict[str, None] = field(default_factory=dict)
    """Uids that were ADDED lately, oldest first."""

    def listing(self, obj: StoredObject) -> None:
        """The client has the object as it is here."""
        self.listed[obj.key.namespace, obj.key.name] = (obj.uid, obj.revision)

    def is_old_news(self, event: StoredObject) -> bool:
        """Whether the state that the client was given first, and has since followed, is as new as this event.

        Revisions order the changes of one name: the end of an object before the one that was given is old news too.
        That of the given one never is, even when the client already has the object that took the name over; then the
        living one is told again behind it.
        """
        place = (event.key.namespace, event.key.name)
        uid, revision = self.listed.get(place, ("", 0))
        if event.revision <= revision:
            return True
        if event.uid == uid and not event.deleted:
            self.listed[place] = (uid, event.revision)
        else:
            self.listed.pop(place, None)
        return False

    def is_new(self, event: StoredObject, created: int) -> bool:
        """Whether the client is likely to hear of this object for the first time."""
        if event.uid in self.recent or micros_of(event.revision) // SECOND - created > _NEW_FOR:
            return False
        self.recent[event.uid] = None
        if len(self.recent) > _RECENT:
            del self.recent[next(iter(self.recent))]
        return True


@dataclass(slots=True, eq=False)
class Watch:
    """An open watch."""

    caller: Caller
    target: Target
    selection: Selection
    options: WatchOptions
    form: Form
    include: str
    response: web.StreamResponse
    client: ClientState = field(default_factory=ClientState)
    timeout: asyncio.Timeout | None = None
    lines: list[bytes] = field(default_factory=list)
    """Events that are to be sent."""
    size: int = 0
    """Bytes of them, about."""

    def cut(self) -> None:
        """Ends the watch; the client resumes from what it saw last, here or at another server."""
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(0)

    def put(self, event: str, raw: bytes) -> None:
        """Adds an event to those that are sent next."""
        self.lines.append(b'{"type":"%s","object":%s}\n' % (event.encode(), raw))
        self.size += len(raw)

    async def flush(self) -> None:
        """Sends what was added, in one go: a write costs more than what it carries."""
        if self.lines:
            data, self.lines, self.size = b"".join(self.lines), [], 0
            await self.response.write(data)


class Watches:
    """Serves watches, and ends them when their time, the server or their right to watch is over."""

    def __init__(self, services: Services, reader: Reader) -> None:
        self._services = services
        self._reader = reader
        self._renditions = Renditions(services.views)
        self._open: set[Watch] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def cut(self, of: Callable[[Caller], bool] = lambda caller: True) -> None:
        """Ends the watches of some callers, or of all."""
        for watch in tuple(self._open):
            if of(watch.caller):
                watch.cut()

    def close(self) -> None:
        """Ends all watches, and those still to come at once."""
        self._closed = True
        self.cut()

    async def check(self) -> None:
        """Ends, until cancelled, the watches of those who may no longer watch."""
        while True:
            await asyncio.sleep(_CHECK_PERIOD)
            for watch in tuple(self._open):
                try:
                    await self._services.authorizer.authorize(watch.caller, action_of(watch.target, watch.selection))
                except ApiError:
                    watch.cut()
                except Exception:
                    logger.exception("A watch could not be checked and is ended")
                    watch.cut()

    async def serve(
        self,
        request: web.Request,
        caller: Caller,
        target: Target,
        selection: Selection,
        form: Form,
    ) -> web.StreamResponse:
        """Answers a WATCH. What can be refused with a status code is refused before the first event."""
        options = parse_watch_options(request.query)
        if selection.referring_to is not None:
            raise BadRequest("referenceSelector works for lists only; leave it out of the watch")
        response = web.StreamResponse(headers={"Content-Type": JSON, "Cache-Control": "no-cache, private"})
        include = request.query.get("includeObject") or "Metadata"
        watch = Watch(caller, target, selection, options, form, include, response)
        revision = await self._start(watch)
        state = self._state(watch) if options.state_first else None
        first = await anext(state, None) if state is not None else None
        stream = self._services.events.watch(target.kind.resource, since=revision)
        async with contextlib.aclosing(stream):
            head = asyncio.ensure_future(_next(stream)) if state is None else None
            if head is not None:
                # One turn of the loop, so that "too many watches" is an answer and not a broken stream.
                await asyncio.wait({head}, timeout=0)
                if head.done() and (error := head.exception()) and not isinstance(error, Expired):
                    raise error
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                await self._run(request, watch, stream, head, revision, state, first)
                await response.write_eof()
        return response

    async def _start(self, watch: Watch) -> int | None:
        """The revision that the events begin from.

        A client that resumes with the very revision of the one object that it watches has that object: then nothing
        that happened to the name before is news, however long ago it was.
        """
        since, target, selection = watch.options.since, watch.target, watch.selection
        if watch.options.state_first:
            return self._services.events.list_revision()
        if since is None or not names_one(target, selection):
            return since
        now = self._services.events.list_revision()
        place = Key(target.kind.resource, selection.namespace or "", selection.fields.name or "")
        stored = await self._services.store.get(place)
        if stored is None or stored.revision != since:
            return since
        watch.client.listing(stored)
        return now

    async def _run(
        self,
        request: web.Request,
        watch: Watch,
        stream: EventStream,
        head: asyncio.Future[StoredObject | Bookmark | None] | None,
        revision: int | None,
        state: AsyncIterator[list[StoredObject]] | None,
        first: list[StoredObject] | None,
    ) -> None:
        self._open.add(watch)
        try:
            async with asyncio.timeout(0 if self._closed else watch.options.seconds) as watch.timeout:
                if state is not None:
                    await self._send_state(watch, first or [], state, revision or 0)
                item = await (head if head is not None else _next(stream))
                while item is not None and request.transport is not None:
                    while item is not None and watch.size < _CHUNK:
                        self._put(watch, item)
                        item = stream.pop()
                    await watch.flush()
                    if item is not None:
                        await asyncio.sleep(0)  # There is much to send: others have their turn in between.
                        continue
                    await self._give_way()
                    item = await _next(stream)
        except TimeoutError:
            pass
        except Expired as error:
            watch.put("ERROR", orjson.dumps(error.as_status()))
            await watch.flush()
        except ApiError as error:
            logger.info("A watch of %s ends: %s", watch.target.kind.resource, error)
        finally:
            if head is not None:
                head.cancel()
            self._open.discard(watch)

    async def _give_way(self) -> None:
        """Lets events gather for a watch that has sent all it had; one that has more to send is not held back."""
        if len(self._open) > _CROWD:
            await asyncio.sleep(min(len(self._open) * _TURN, _LONGEST_TURN))

    async def _state(self, watch: Watch) -> AsyncIterator[list[StoredObject]]:
        after: tuple[str, str] | None = None
        while True:
            page = await self._reader.page(watch.target, watch.selection, limit=_PAGE, after=after)
            yield page.items
            after = page.after
            if after is None:
                return

    async def _send_state(
        self, watch: Watch, first: list[StoredObject], rest: AsyncIterator[list[StoredObject]], revision: int
    ) -> None:
        items: list[StoredObject] | None = first
        revision = resume_point(watch.target, watch.selection, first, revision)
        while items is not None:
            for obj in items:
                watch.client.listing(obj)
                watch.put("ADDED", self._rendition(watch, obj)[0])
                if watch.size >= _CHUNK:
                    await watch.flush()
            await watch.flush()
            items = await anext(rest, None)
        if watch.options.initial_end:
            self._put_bookmark(watch, revision, ended=True)
            await watch.flush()

    def _put(self, watch: Watch, item: StoredObject | Bookmark) -> None:
        if isinstance(item, Bookmark):
            if watch.options.bookmarks:
                self._put_bookmark(watch, item.revision)
        elif selects(watch.selection, item) and not watch.client.is_old_news(item):
            gone = item.deleted or not matches(watch.selection, item)
            raw, created = self._rendition(watch, item)
            event = "DELETED" if gone else "ADDED" if watch.client.is_new(item, created) else "MODIFIED"
            watch.put(event, raw)

    def _rendition(self, watch: Watch, obj: StoredObject) -> tuple[bytes, int]:
        found = self._renditions.of(watch.target.kind, obj, watch.caller.controller, watch.form, watch.include)
        return found.raw, found.created

    def _put_bookmark(self, watch: Watch, revision: int, *, ended: bool = False) -> None:
        kind = watch.target.kind
        metadata = {"resourceVersion": str(revision), "creationTimestamp": None}
        annotations = {"annotations": {INITIAL_EVENTS_END: "true"}} if ended else {}
        names = {"kind": kind.kind, "apiVersion": kind.api_version}
        if watch.form is Form.TABLE:
            names = {"kind": "Table", "apiVersion": "meta.k8s.io/v1"}
        elif watch.form is Form.METADATA:
            names = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        extra: JsonObject = {"columnDefinitions": [], "rows": []} if watch.form is Form.TABLE else {}
        watch.put("BOOKMARK", orjson.dumps({**names, "metadata": {**metadata, **annotations}, **extra}))


async def _next(stream: EventStream) -> StoredObject | Bookmark | None:
    """The next item; None at the end."""
    try:
        return await stream.__anext__()
    except StopAsyncIteration:
        return None


def action_of(target: Target, selection: Selection) -> Action:
    """What the authorizer is asked about a watch."""
    return Action("watch", target.kind, target.namespace, selection.fields.name or "", labels=selection.labels)


def selects(selection: Selection, event: StoredObject) -> bool:
    """Whether the client may know this object: by place, shard, and its labels, now or formerly."""
    key, fields, shard = event.key, selection.fields, selection.shard
    if selection.namespace and key.namespace != selection.namespace:
        return False
    if fields.name is not None and key.name != fields.name:
        return False
    if shard is not None and shard_of(event.uid, shard.count) != shard.index:
        return False
    return matches(selection, event) or _did_match(selection, event)


def matches(selection: Selection, event: StoredObject) -> bool:
    """Whether labels and fields match as they are now."""
    return labels_match(selection.labels, event.labels) and matches_fields(selection, event)


def matches_fields(selection: Selection, event: StoredObject) -> bool:
    """Whether fields other than name and namespace match."""
    return not selection.fields.others or selection.fields.matches(event.decoded())


def _did_match(selection: Selection, event: StoredObject) -> bool:
    if not matches_fields(selection, event) and not selection.fields.may_change:
        return False
    # Former values of fields are not kept: what does not match by one that may change is told as DELETED, known or not.
    if not selection.labels or event.former is None:
        return True
    return any(labels_match(selection.labels, labels) for labels in (event.labels, *event.former))
