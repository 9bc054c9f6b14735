"""``GET .../workloadinstances/{name}/portforward?port=N``: a connection to a port of one of the instance's pods.

A plain GET tells which pod it would be, and checks that all is in place. With an upgrade to a WebSocket it is one TCP
connection: binary messages are its bytes, both ways; a text message says why it failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final, NamedTuple

import aiohttp
from aiohttp import WSMsgType, hdrs, web

from threeport.apiserver.subresources.placement import Placement, Placements, means
from threeport.common.errors import BadRequest, Conflict, Forbidden, MethodNotAllowed
from threeport.common.types import FrozenJson
from threeport.krm.answers import json_answer
from threeport.krm.interfaces import Action, Authorizer, Caller
from threeport.krm.paths import Target
from threeport.kube.cluster import Cluster
from threeport.kube.pod_streams import PodStreams
from threeport.kube.pods import Pod

PROTOCOL: Final = "v1.portforward.threeport.io"
LONGEST_CONNECTION: Final = 4 * 3600.0
"""Seconds; as long as kubelets keep an idle stream."""

HEARTBEAT: Final = 30.0
DATA: Final = 0
ERRORS: Final = 1
"""Channels of the cluster's protocol."""


class Destination(NamedTuple):
    """A port of a pod."""

    pod: Pod
    port: int


class PortForwardView:
    """Answers the subresource ``portforward``. It takes the right to create: who connects may change things."""

    def __init__(self, placements: Placements, authorizer: Authorizer) -> None:
        self._placements = placements
        self._authorizer = authorizer

    async def answer(self, request: web.Request, caller: Caller, target: Target) -> web.StreamResponse:
        """The destination, or the connection to it."""
        if request.method != "GET":
            raise MethodNotAllowed("Connect with GET and an upgrade to a WebSocket.")
        # The method of an upgrade is GET, whatever it is for (Kubernetes issue 133515): the verb has to be named here.
        action = Action("create", target.kind, target.namespace, target.name, target.subresource)
        await self._authorizer.authorize(caller, action)
        if hdrs.ORIGIN in request.headers:
            raise Forbidden("Connections to pods are not for web pages: the request names an Origin.")
        placement = await self._placements.of(target)
        placement.needs_containers("ports")
        async with placement.cluster() as cluster:
            destination = await choose(placement, cluster, request.query)
        if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            pod, port = destination
            return json_answer(
                {"runtime": placement.runtime, "namespace": pod.namespace, "pod": pod.name, "port": port}
            )
        return await _bridge(request, placement, destination)


async def choose(placement: Placement, cluster: Cluster, query: FrozenJson) -> Destination:
    """The pod and port that a request means. Raises `BadRequest`, `NotFound`, or `Conflict` if no pod is ready."""
    port, resource = _port(query.get("port", "")), query.get("resource", "")
    pods = await placement.pods(cluster, resource=resource, pod=query.get("pod", ""))
    if means(resource.partition("/")[0], "Service"):
        service = await placement.find(cluster, resource)
        ready = _ready(placement, pods)
        return Destination(ready[0], _target_port(service, port, ready[0]))
    ready = _ready(placement, pods)
    if resource or query.get("pod"):
        return Destination(ready[0], port)
    listening = [pod for pod in ready if pod.listens_on(port)]
    if not listening and len({pod.owner for pod in ready}) > 1:
        raise BadRequest(
            f"No pod of {placement.name} declares port {port}. Name the object that is meant, such as Service/NAME or "
            f"Pod/NAME; its pods are {', '.join(pod.name for pod in ready[:10])}."
        )
    return Destination((listening or ready)[0], port)


def _ready(placement: Placement, pods: Sequence[Pod]) -> list[Pod]:
    ready = [pod for pod in pods if pod.is_ready]
    if ready:
        return ready
    if not pods:
        raise Conflict(f"{placement.name} has no such pods on runtime {placement.runtime} yet.")
    health, message = pods[0].health()
    raise Conflict(f"No pod of {placement.name} is ready: {pods[0].name} is {health}{f' ({message})' * bool(message)}.")


def _target_port(service: FrozenJson, port: int, pod: Pod) -> int:
    """The port of the pod behind a port of a Service."""
    declared = (service.get("spec") or {}).get("ports") or []
    found = next((one for one in declared if one["port"] == port), None)
    name = service["metadata"]["name"]
    if found is None:
        known = ", ".join(str(one["port"]) for one in declared)
        raise BadRequest(f"Service {name} has no port {port}. It has {known or 'none'}.")
    target = found.get("targetPort") or port
    number = target if isinstance(target, int) else pod.port_called(target)
    if number is None:
        raise BadRequest(f"Service {name} leads to the port {target!r}, which pod {pod.name} does not declare.")
    return number


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not 0 < int(text) < 65536:
        raise BadRequest(f"port is {text[:20]!r}, not a number from 1 to 65535")
    return int(text)


async def _bridge(request: web.Request, placement: Placement, destination: Destination) -> web.StreamResponse:
    outer = web.WebSocketResponse(protocols=(PROTOCOL,), heartbeat=HEARTBEAT)
    if not outer.can_prepare(request).ok:
        raise BadRequest("This is no handshake of a WebSocket (RFC 6455).")
    pod, port = destination
    async with AsyncExitStack() as stack:
        streams = await stack.enter_async_context(PodStreams(placement.access))
        # The cluster is asked first: what it refuses is an answer, and not a connection that breaks.
        with placement.told():
            inner = await stack.enter_async_context(streams.port(pod.namespace, pod.name, port))
        try:
            await outer.prepare(request)
            error = await _pass_both_ways(outer, inner)
            if error and not outer.closed:
                await outer.send_str(error)
            await outer.close()
        except ConnectionError:
            pass  # the caller has left
    return outer


async def _pass_both_ways(outer: web.WebSocketResponse, inner: aiohttp.ClientWebSocketResponse) -> str:
    """Passes bytes until one side ends; what the cluster said went wrong, or nothing."""
    try:
        async with asyncio.timeout(LONGEST_CONNECTION):
            outward = asyncio.create_task(_outward(outer, inner))
            inward = asyncio.create_task(_inward(outer, inner))
            try:
                done, _ = await asyncio.wait({outward, inward}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (outward, inward):
                    task.cancel()
                await asyncio.gather(outward, inward, return_exceptions=True)
            return outward.result() if outward in done else ""
    except TimeoutError:
        return f"The connection has lasted {LONGEST_CONNECTION / 3600:.0f} hours, the longest there is: connect anew."
    except (ConnectionError, aiohttp.ClientError) as error:
        return f"The connection to the cluster broke: {error}"


async def _outward(outer: web.WebSocketResponse, inner: aiohttp.ClientWebSocketResponse) -> str:
    """From the pod to the caller."""
    seen: set[int] = set()
    async for message in inner:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, payload = message.data[0], message.data[1:]
        if channel not in seen:
            seen.add(channel)  # the first message of each channel is the port
        elif channel == DATA and payload:
            await outer.send_bytes(payload)
        elif channel == ERRORS and payload:
            return str(payload.decode(errors="replace"))
    return ""


async def _inward(outer: web.WebSocketResponse, inner: aiohttp.ClientWebSocketResponse) -> None:
    """From the caller to the pod."""
    async for message in outer:
        if message.type is WSMsgType.BINARY:
            await inner.send_bytes(bytes([DATA]) + message.data)
