"""A forwarded connection that the API breaks off does not look like one that has come to its end."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from threeport.cli.commands.port_forward import PROTOCOL, _connection
from threeport.client import Client, ClientSettings


async def received(*, breaks: bool) -> bytes:
    """What a program gets through a port of this machine from an API that sends three bytes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(PROTOCOL,))
        await socket.prepare(request)
        await socket.send_bytes(b"abc")
        if breaks:
            assert request.transport is not None
            request.transport.abort()
        else:
            await socket.close()
        return socket

    app = web.Application()
    app.add_routes([web.get("/forward", answer)])
    async with TestServer(app) as api, Client(ClientSettings(url=str(api.make_url("")).rstrip("/"))) as client:
        server = await asyncio.start_server(partial(_connection, client, "/forward", {}), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(reader.read(), 20)
            finally:
                writer.close()


async def test_an_end_is_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert await received(breaks=False) == b"abc"
    assert capsys.readouterr().err == ""


async def test_what_breaks_is_said_and_the_program_sees_that_it_has_not_got_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ConnectionResetError):
        await received(breaks=True)
    assert "a connection broke" in capsys.readouterr().err
