"""``GET .../workloadinstances/{name}/log``: what the containers of an instance write, all of them or some.

Without ``follow`` the lines of all containers come in the order of time. With it they come as they are written, those
of new pods and of restarted containers included, until every pod has ended or the client leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web

from threeport.apiserver.subresources.following import Following
from threeport.apiserver.subresources.log_lines import Source, in_order, lines_of, rendered
from threeport.apiserver.subresources.log_options import LARGEST_LOG, LogOptions
from threeport.apiserver.subresources.placement import Placement, Placements
from threeport.common.errors import BadRequest, MethodNotAllowed, NotFound
from threeport.krm.answers import add_warnings
from threeport.krm.interfaces import Caller
from threeport.krm.paths import Target
from threeport.kube.cluster import Cluster
from threeport.kube.errors import NETWORK_ERRORS, ClusterError
from threeport.kube.pod_streams import PodStreams

MOST_SOURCES: Final = 50
"""Containers whose logs one request may read."""

LONGEST_STREAM: Final = 4 * 3600.0
"""Seconds that a log is followed; as long as kubelets keep an idle stream."""

CHUNK: Final = 32 * 1024
"""Bytes that are gathered before they are sent, where nobody waits for the next line."""


class LogView:
    """Answers the subresource ``log``."""

    def __init__(self, placements: Placements) -> None:
        self._placements = placements

    async def answer(self, request: web.Request, _caller: Caller, target: Target) -> web.StreamResponse:
        """The log, as plain text."""
        if request.method != "GET":
            raise MethodNotAllowed("Logs are read with GET.")
        options = LogOptions.parse(request.query)
        placement = await self._placements.of(target)
        placement.needs_containers("logs")
        async with placement.cluster() as cluster, PodStreams(placement.access) as streams:
            chosen = await sources(placement, cluster, options)
            if options.follow:
                return await _follow(request, placement, cluster, streams, options, chosen)
            return await _read(request, placement, streams, options, chosen)


async def sources(placement: Placement, cluster: Cluster, options: LogOptions) -> list[Source]:
    """The containers that are meant. Raises `NotFound` if there are none, `BadRequest` if there are too many."""
    pods = await placement.pods(cluster, resource=options.resource, pod=options.pod)
    if not pods:
        of = f" of {options.resource}" if options.resource else ""
        raise NotFound(
            f"{placement.name} has no pods{of} on runtime {placement.runtime}: tptctl tree workloadinstance "
            f"{placement.name} shows what it has."
        )
    found = [Source(pod, container) for pod in pods for container in pod.containers()]
    if options.container:
        names = sorted({one.container.name for one in found})
        found = [one for one in found if one.container.name == options.container]
        if not found:
            raise NotFound(f"{placement.name} has no container {options.container!r}. It has {', '.join(names)}.")
    else:
        found = [one for one in found if not one.container.init] or found
    if options.previous and not options.follow:
        found = [one for one in found if one.container.restarts]
        if not found:
            raise NotFound(f"No such container of {placement.name} was restarted: none has an earlier log.")
    if len(found) > MOST_SOURCES:
        raise BadRequest(f"These are {len(found)} containers; at most {MOST_SOURCES} at a time: name a pod.")
    return found


async def _read(
    request: web.Request, placement: Placement, streams: PodStreams, options: LogOptions, chosen: Sequence[Source]
) -> web.StreamResponse:
    """Everything that has been written up to now, in the order of time."""
    async with AsyncExitStack() as stack:
        opened: list[Source] = []
        logs = []
        refused: list[ClusterError] = []
        for source in chosen:
            query = options.as_query(source.container.name)
            try:
                content = await stack.enter_async_context(streams.log(source.pod.namespace, source.pod.name, query))
            except ClusterError as error:
                refused.append(error)
                continue
            opened.append(source)
            logs.append(lines_of(content))
        if refused and not opened:
            raise placement.error(refused[0])
        response = _response()
        add_warnings(response, [str(error) for error in refused])
        await response.prepare(request)
        prefixes = [source.prefix if options.wants_prefix(len(chosen)) else b"" for source in opened]
        buffer, sent = bytearray(), 0
        async with _or_cut(request):
            async for number, line in in_order(logs):
                buffer += rendered(line, prefix=prefixes[number], timestamps=options.timestamps)
                if len(buffer) >= CHUNK:
                    await response.write(bytes(buffer))
                    sent += len(buffer)
                    buffer.clear()
                if sent >= LARGEST_LOG:
                    return _broken_off(request, response)
            await response.write(bytes(buffer))
            await response.write_eof()
        return response


async def _follow(
    request: web.Request,
    placement: Placement,
    cluster: Cluster,
    streams: PodStreams,
    options: LogOptions,
    first: Sequence[Source],
) -> web.StreamResponse:
    async def look() -> Sequence[Source]:
        return await sources(placement, cluster, options)

    following = Following(streams, options, look)
    response = _response()
    await response.prepare(request)
    async with _or_cut(request), asyncio.timeout(LONGEST_STREAM):
        async with following.running(first):
            async for piece in following.pieces():
                if piece:
                    await response.write(piece)
                elif request.transport is None or request.transport.is_closing():
                    return response
        await response.write_eof()
    return response


@asynccontextmanager
async def _or_cut(request: web.Request) -> AsyncIterator[None]:
    """When an answer that has begun cannot go on, the connection is closed: the client sees that it is not whole."""
    try:
        yield
    except (ClusterError, *NETWORK_ERRORS):
        if request.transport is not None:
            request.transport.abort()


def _broken_off(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Ends the connection after what has been sent: without the answer's end, the client sees that it is not whole."""
    if request.transport is not None:
        request.transport.close()
    return response


def _response() -> web.StreamResponse:
    return web.StreamResponse(
        headers={"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    )
