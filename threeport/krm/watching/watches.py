"""Serves watches, and ends them when their time, the server or their right to watch is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

import orjson
from aiohttp import web

from threeport.common.errors import ApiError, BadRequest, Expired
from threeport.krm.answers import JSON
from threeport.krm.interfaces import Caller
from threeport.krm.negotiation import Form
from threeport.krm.paths import Target
from threeport.krm.reading.positions import resume_point
from threeport.krm.reading.reader import Reader
from threeport.krm.reading.selection import Selection, action_of, names_one
from threeport.krm.services import Services
from threeport.krm.watching.feed import Feed
from threeport.krm.watching.options import parse_watch_options
from threeport.krm.watching.renditions import Renditions
from threeport.krm.watching.watch import Watch
from threeport.store.records import Key, Page

logger = logging.getLogger(__name__)

_CHECK_PERIOD = 5.0
"""Seconds between checks whether those who watch still may."""
_PAGE = 500
_CROWD = 50
_TURN, _LONGEST_TURN = 150e-6, 0.1
"""With more than `_CROWD` watches, each waits so many seconds per watch after it has sent all it had, so that what
happens meanwhile goes out together: of 500 watches each sends 13 times a second, unless it has much to send."""


class Watches:
    """The open watches of one server."""

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
                    action = action_of("watch", watch.target, watch.selection)
                    await self._services.authorizer.authorize(watch.caller, action)
                except ApiError:
                    watch.cut()
                except Exception:
                    logger.exception("A watch could not be checked and is ended")
                    watch.cut()

    async def serve(
        self, request: web.Request, caller: Caller, target: Target, selection: Selection, form: Form
    ) -> web.StreamResponse:
        """Answers a WATCH. What can be refused with a status code is refused before the first event.

        Raises `BadRequest`, `Invalid`, `TooManyRequests`, and what the store raises.
        """
        options = parse_watch_options(request.query)
        if selection.referring_to is not None:
            raise BadRequest("referenceSelector works for lists only; leave it out of the watch")
        watch = Watch(
            caller=caller,
            target=target,
            selection=selection,
            options=options,
            form=form,
            include=request.query.get("includeObject") or "Metadata",
            response=web.StreamResponse(headers={"Content-Type": JSON, "Cache-Control": "no-cache, private"}),
            renditions=self._renditions,
        )
        revision = await self._start(watch)
        first = await self._page(watch, None) if options.state_first else None
        feed = Feed(self._services.events.watch(target.kind.resource, since=revision))
        async with contextlib.aclosing(feed):
            if first is None:
                await feed.begin()
            await watch.response.prepare(request)
            with contextlib.suppress(ConnectionError):
                await self._run(request, watch, feed, first, revision or 0)
                await watch.response.write_eof()
        return watch.response

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

    async def _run(self, request: web.Request, watch: Watch, feed: Feed, first: Page | None, revision: int) -> None:
        """Sends the state that begins with the page `first`, then the events, until the watch ends."""
        self._open.add(watch)
        try:
            async with asyncio.timeout(0 if self._closed else watch.options.seconds) as watch.timeout:
                if first is not None:
                    await self._send_state(watch, first, revision)
                await self._send_events(request, watch, feed)
        except TimeoutError:
            pass
        except Expired as error:
            watch.put_event("ERROR", orjson.dumps(error.as_status()))
            await watch.flush()
        except ApiError as error:
            logger.info("A watch of %s ends: %s", watch.target.kind.resource, error)
        finally:
            self._open.discard(watch)

    async def _send_state(self, watch: Watch, first: Page, revision: int) -> None:
        """Sends the current state; `revision` is the clock as it was read before."""
        page = first
        await watch.send_listed(page.items)
        while page.after is not None:
            page = await self._page(watch, page.after)
            await watch.send_listed(page.items)
        if watch.options.initial_end:
            watch.put_bookmark(resume_point(watch.target, watch.selection, first.items, revision), ended=True)
            await watch.flush()

    async def _send_events(self, request: web.Request, watch: Watch, feed: Feed) -> None:
        item = await feed.next()
        while item is not None and request.transport is not None:
            while item is not None and not watch.is_full:
                watch.put(item)
                item = feed.pop()
            await watch.flush()
            if item is not None:
                await asyncio.sleep(0)  # There is much to send: others have their turn in between.
                continue
            await self._give_way()
            item = await feed.next()

    async def _give_way(self) -> None:
        """Lets events gather for a watch that has sent all it had; one that has more to send is not held back."""
        if len(self._open) > _CROWD:
            await asyncio.sleep(min(len(self._open) * _TURN, _LONGEST_TURN))

    async def _page(self, watch: Watch, after: tuple[str, str] | None) -> Page:
        return await self._reader.page(watch.target, watch.selection, limit=_PAGE, after=after)
