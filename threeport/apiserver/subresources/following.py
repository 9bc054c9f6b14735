"""Following logs: of the containers that there are, and of those that come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from threeport.apiserver.subresources.log_lines import Source, lines_of, next_or_none, rendered
from threeport.apiserver.subresources.log_options import LogOptions
from threeport.common.errors import NotFound
from threeport.kube.errors import ClusterError, ClusterUnreachable
from threeport.kube.pod_streams import PodStreams
from threeport.kube.pods import Container

LOOKING: Final = 3.0
"""Seconds between two looks for new pods and restarted containers."""

PATIENCE: Final = 1.0
"""Seconds without a line after which the follower may look whether anybody still listens."""

QUEUED: Final = 256
"""Lines that wait to be sent; a client that reads slowly slows the clusters down, and uses up no memory."""


@dataclass(slots=True)
class _Reading:
    """How far the log of one container has been read."""

    run: int
    """After so many restarts; -1 if it has to be read again in any case."""
    last: bytes = b""
    """The time of the last line."""
    task: asyncio.Task[None] = field(init=False)

    def may_go_on(self, container: Container) -> bool:
        """Whether there is more to come: the container has started again, or runs although its log has ended, as when
        its kubelet was restarted."""
        return self.task.done() and (container.running or container.restarts > self.run)


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
        self._readings: dict[tuple[str, str], _Reading] = {}
        self._search: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, first: Sequence[Source]) -> AsyncIterator[None]:
        """Reads, beginning with the containers of `first`, while the block runs."""
        self._search = asyncio.create_task(self._attend(first))
        try:
            yield
        finally:
            tasks = [self._search, *self._readers]
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

    @property
    def _readers(self) -> list[asyncio.Task[None]]:
        return [reading.task for reading in self._readings.values()]

    async def _attend(self, found: Sequence[Source]) -> None:
        """Reads each container that has something to read, until there is nothing left to wait for."""
        options = self._options
        while True:
            for source in found:
                known = self._readings.get(source.key)
                if source.container.started and (known is None or known.may_go_on(source.container)):
                    self._begin(source, options, known)
            if found and all(source.pod.is_over for source in found):
                await asyncio.gather(*self._readers)
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
        for reading in self._readings.values():
            if reading.task.done() and (error := reading.task.exception()) is not None:
                if isinstance(error, ClusterUnreachable) or not isinstance(error, ClusterError):
                    raise error
                reading.run = -1  # it was too early, or it is gone: the next look tells

    def _begin(self, source: Source, options: LogOptions, known: _Reading | None) -> None:
        reading = _Reading(source.container.restarts, known.last if known else b"")
        reading.task = asyncio.create_task(self._read(source, options, reading))
        self._readings[source.key] = reading

    async def _read(self, source: Source, options: LogOptions, reading: _Reading) -> None:
        before = reading.last
        query = options.as_query(source.container.name, after=before)
        async with (
            self._streams.log(source.pod.namespace, source.pod.name, query) as content,
            aclosing(lines_of(content)) as lines,
        ):
            async for line in lines:
                if before and line.time <= before:
                    continue
                reading.last = line.time
                prefix = source.prefix if self._options.wants_prefix(len(self._readings)) else b""
                await self._queue.put(rendered(line, prefix=prefix, timestamps=options.timestamps))
