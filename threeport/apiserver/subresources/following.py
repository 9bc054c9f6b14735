"""Following logs: of the containers that there are, and of those that come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Final

from threeport.apiserver.subresources.log_lines import Source, lines_of, next_or_none, rendered
from threeport.apiserver.subresources.log_options import LogOptions
from threeport.common.errors import NotFound
from threeport.kube.errors import ClusterError, ClusterUnreachable
from threeport.kube.pod_streams import PodStreams

LOOKING: Final = 3.0
"""Seconds between two looks for new pods and restarted containers."""

PATIENCE: Final = 1.0
"""Seconds without a line after which the follower may look whether anybody still listens."""

QUEUED: Final = 256
"""Lines that wait to be sent; a client that reads slowly slows the clusters down, and uses up no memory."""


class Following:
    """The logs of containers, as they are written. `look` finds them."""

    def __init__(
        self,
        streams: PodStreams,
        options: LogOptions,
        look: Callable[[], Awaitable[Sequence[Source]]],
    ) -> None:
        self._streams = streams
        self._options = options
        self._look = look
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUED)
        self._readers: dict[tuple[str, str, int], asyncio.Task[None]] = {}
        self._search: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, first: Sequence[Source]) -> AsyncIterator[None]:
        """Reads, beginning with the containers of `first`, while the block runs."""
        self._search = asyncio.create_task(self._attend(first))
        try:
            yield
        finally:
            tasks = [self._search, *self._readers.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Lines as they come; an empty one when there is none for a while. Ends when all pods have ended.

        Raises a `ClusterError` when the cluster does not let us go on.
        """
        assert self._search is not None
        while not (self._search.done() and self._queue.empty()):
            yield await next_or_none(self._queue, seconds=PATIENCE) or b""
        self._search.result()

    async def _attend(self, found: Sequence[Source]) -> None:
        """Starts a reader for each container that has none, until there is nothing left to wait for."""
        options = self._options
        while True:
            for source in found:
                known = self._readers.get(source.key)
                if known is None and source.container.started:
                    self._readers[source.key] = asyncio.create_task(self._read(source, options))
            if found and all(source.pod.is_over for source in found):
                await asyncio.gather(*self._readers.values())
                return
            await asyncio.sleep(LOOKING)
            self._raise_failures()
            # What appears from now on is read from its beginning.
            options = replace(self._options, tail=None, since=None, previous=False)
            try:
                found = await self._look()
            except NotFound:
                found = []  # between two rollouts there may be no pod

    def _raise_failures(self) -> None:
        for key, task in list(self._readers.items()):
            if task.done() and (error := task.exception()) is not None:
                if isinstance(error, ClusterUnreachable) or not isinstance(error, ClusterError):
                    raise error
                del self._readers[key]  # it was too early, or it is gone: the next look tells

    async def _read(self, source: Source, options: LogOptions) -> None:
        query = options.as_query(source.container.name, share=1)
        async with (
            self._streams.log(source.pod.namespace, source.pod.name, query) as content,
            aclosing(lines_of(content)) as lines,
        ):
            async for line in lines:
                prefix = source.prefix if self._options.wants_prefix(len(self._readers)) else b""
                await self._queue.put(rendered(line, prefix=prefix, timestamps=options.timestamps))
