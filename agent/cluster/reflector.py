"""A watch of one collection that lasts: list in pages, watch, resume after cuts, list again when it came too late.

Objects are handed over one by one and not kept, because the agent needs a few words of each of thousands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol

from agent.metrics import INTERRUPTIONS
from threeport.client.errors import error_from_status, has_answered
from threeport.client.objects import decode_json
from threeport.client.transport import Transport, pause_after
from threeport.common.errors import ApiError, Expired, Forbidden, NotFound
from threeport.common.types import JsonObject

logger = logging.getLogger(__name__)

PAGE: Final = 250
"""Objects per page of a list: what one page takes when decoded is the peak of the agent's memory."""

METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""Asks for lists without spec, status and data (Kubernetes, "API Concepts"); who cannot, sends all."""

PATIENCE: Final = 6
"""Failures after which a list is given up, about 7 s after the first: a conversion webhook that is down, for example,
lets one kind fail for as long as it likes."""

PAUSE: Final = 0.1
"""Seconds between one connection and the next, so that a server that ends each at once is not flooded."""


class Sink(Protocol):
    """Takes what a reflector sees."""

    def seen(self, obj: JsonObject) -> None:
        """The object is there, new or changed."""

    def gone(self, obj: JsonObject) -> None:
        """The object was deleted, or no longer matches the selector."""

    def listing(self) -> None:
        """A list begins: all that is there will be seen, each at least once."""

    def synced(self) -> None:
        """The list is complete: what was not seen since it began is gone."""


class Reflector:
    """Follows the collection at `path`, narrowed by `query` (``labelSelector``, ``fieldSelector``).

    Where the metadata are enough, a page of ConfigMaps of a megabyte each need not fit into memory.
    """

    def __init__(
        self,
        transport: Transport,
        path: str,
        query: Mapping[str, str],
        sink: Sink,
        *,
        metadata_only: bool = False,
    ) -> None:
        self._transport = transport
        self._path = path
        self._query = dict(query)
        self._headers = {"Accept": METADATA} if metadata_only else {}
        self._sink = sink

    async def run(self) -> None:
        """Runs without end. Raises `NotFound` or `Forbidden`, which waiting does not mend, and what a server that
        answers has answered `PATIENCE` times instead of a list; bridges all else."""
        position: str | None = None
        failures = 0
        while True:
            try:
                if position is None:
                    position = await self._list()
                async for event in self._events(position):
                    failures = 0
                    position = event["object"]["metadata"]["resourceVersion"]
                    self._pass_on(event["type"], event["object"])
                await asyncio.sleep(PAUSE)
            except (NotFound, Forbidden):
                raise
            except ApiError as error:
                INTERRUPTIONS.inc()
                logger.info("The watch of %s is interrupted, will resume: %s", self._path, error.message)
                if isinstance(error, Expired):
                    position = None
                elif position is None and failures >= PATIENCE and has_answered(error):
                    raise
                await asyncio.sleep(pause_after(failures, error))
                failures += 1

    async def _list(self) -> str:
        self._sink.listing()
        query = {**self._query, "limit": str(PAGE)}
        while True:
            answer = await self._transport.request("GET", self._path, query=query, headers=self._headers)
            page = decode_json(answer.body)
            for obj in page.get("items") or ():
                self._sink.seen(obj)
            more = page["metadata"].get("continue")
            if not more:
                self._sink.synced()
                return str(page["metadata"]["resourceVersion"])
            query["continue"] = more

    async def _events(self, position: str) -> AsyncIterator[JsonObject]:
        """Events of one connection; ends when the server ends it. Raises what an ERROR event says."""
        query = {**self._query, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": position}
        async with self._transport.stream(self._path, query) as content:
            rest = b""
            async for chunk in content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if not line:
                        continue
                    event = decode_json(line)
                    if event["type"] == "ERROR":
                        raise error_from_status(event["object"])
                    yield event

    def _pass_on(self, kind_of_event: str, obj: JsonObject) -> None:
        if kind_of_event == "DELETED":
            self._sink.gone(obj)
        elif kind_of_event != "BOOKMARK":
            self._sink.seen(obj)
