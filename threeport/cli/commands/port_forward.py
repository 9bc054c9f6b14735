"""``tptctl port-forward``: a port of this machine that leads to a port of a workload."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import aiohttp
import click

from threeport.cli import completing
from threeport.cli.console import failure, note, result
from threeport.cli.errors import CliError
from threeport.cli.instances import INSTANCE, instance_called, view
from threeport.cli.session import connected, control_plane_option, namespace_option, run, until_interrupted
from threeport.client import Client
from threeport.client.paths import object_path
from threeport.common.errors import ApiError

PROTOCOL = "v1.portforward.threeport.io"
ADDRESS = "127.0.0.1"
CHUNK = 64 * 1024
LAST_ANSWER = 10.0
"""Seconds that a pod has to end its answer after the program on this side has said all it had to."""

Accept: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@click.command()
@click.argument("what", metavar="workload/NAME|workloadinstance/NAME", shell_complete=completing.workloads)
@click.argument("rest", nargs=-1, required=True, metavar="[RESOURCE] [LOCAL:]REMOTE...")
@namespace_option
@control_plane_option
def command(what: str, rest: tuple[str, ...], namespace: str, control_plane: str | None) -> None:
    """Lead connections to ports of this machine to ports of a workload, until Ctrl-C.

    RESOURCE (such as service/web, deployment/web or pod/web-0) says which object of the workload is meant; without it,
    it is a pod that declares the port. LOCAL is REMOTE if it is left out, and any free port if it is 0 or empty.
    """
    resource, pairs = ("", rest) if _is_ports(rest[0]) else (rest[0], rest[1:])
    if not pairs or not all(_is_ports(pair) for pair in pairs):
        raise click.UsageError("Say which ports: [LOCAL:]REMOTE, such as 8080:80.")
    with until_interrupted():
        run(_forward(what, resource, [_ports(pair) for pair in pairs], namespace, control_plane))


def _is_ports(word: str) -> bool:
    local, _, remote = word.rpartition(":")
    return remote.isdecimal() and (not local or local.isdecimal())


def _ports(word: str) -> tuple[int, int]:
    """Local and remote port. Raises `click.UsageError` for numbers that are none of ports."""
    local, colon, remote = word.rpartition(":")
    ports = int(local or 0) if colon else int(remote), int(remote)
    if ports[0] > 65535 or not 0 < ports[1] < 65536:
        raise click.UsageError(f"{word} holds no port: ports go from 1 to 65535.")
    return ports


async def _forward(
    what: str, resource: str, ports: Sequence[tuple[int, int]], namespace: str, control_plane: str | None
) -> None:
    async with connected(control_plane) as client:
        name = await instance_called(client, what)
        servers = []
        try:
            for local, remote in ports:
                query = {"port": str(remote), **({"resource": resource} if resource else {})}
                found = await view(client, name, namespace, "portforward", query)
                accept = partial(_connection, client, object_path(INSTANCE, name, namespace, "portforward"), query)
                server = await _listen(accept, local)
                servers.append(server)
                where = server.sockets[0].getsockname()[1]
                result(
                    f"{ADDRESS}:{where} leads to port {found['port']} of pod {found['namespace']}/{found['pod']} "
                    f"on {found['runtime']}"
                )
            await asyncio.gather(*(server.serve_forever() for server in servers))
        finally:
            for server in servers:
                server.close()


async def _listen(accept: Accept, local: int) -> asyncio.Server:
    try:
        return await asyncio.start_server(accept, ADDRESS, local)
    except OSError as error:
        raise CliError(f"Port {local} of this machine cannot be used: {error.strerror}. Try another, or 0.") from None


async def _connection(
    client: Client,
    path: str,
    query: dict[str, str],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """One connection, from its beginning to its end. What goes wrong ends it and is said; others go on."""
    try:
        async with client.transport.websocket(path, query, protocol=PROTOCOL) as bridge:
            sending = asyncio.create_task(_send(reader, bridge))
            receiving = asyncio.create_task(_receive(bridge, writer))
            try:
                await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
                # A WebSocket cannot be closed in one direction only, so what still comes is waited for.
                await asyncio.wait({receiving}, timeout=LAST_ANSWER)
            finally:
                for task in (sending, receiving):
                    task.cancel()
                await asyncio.gather(sending, receiving, return_exceptions=True)
            if receiving.done() and not receiving.cancelled() and receiving.result():
                failure("a connection broke: the API has gone away. New connections find their way when it is back.")
                _reset(writer)
    except ApiError as error:
        failure(f"a connection failed: {error.message}")
    except ConnectionError:
        pass  # the program on this side has left
    finally:
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection as broken, not as after the last word: half an answer must not pass for a whole one."""
    linger = struct.pack("ii", 1, 0)  # socket(7), SO_LINGER: on, for no time
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _send(reader: asyncio.StreamReader, bridge: aiohttp.ClientWebSocketResponse) -> None:
    while data := await reader.read(CHUNK):
        await bridge.send_bytes(data)


async def _receive(bridge: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> bool:
    """Passes on what the pod sends, to its end. Returns whether the API broke it off: it says so when it closes."""
    while True:
        message = await bridge.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            writer.write(message.data)
            await writer.drain()
        elif message.type is aiohttp.WSMsgType.TEXT:
            note(f"The connection ended: {message.data}")
        elif message.type is aiohttp.WSMsgType.CLOSE:
            return bool(message.data != aiohttp.WSCloseCode.OK)
        else:
            return True
