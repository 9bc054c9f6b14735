"""How long a connection may take to say what it wants; what it wants may take longer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from threeport.apiserver import listening
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.bootstrap.local.processes import LOOPBACK

TIMEOUT = 0.5
REQUEST = b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def port(identity_files: IdentityFiles, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Of an application that takes longer for its answer than a client may for its headers."""

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(TIMEOUT * 2)
        return web.Response(text="done")

    monkeypatch.setattr(listening, "HEADER_TIMEOUT", TIMEOUT)
    app = web.Application()
    app.add_routes([web.get("/slow", slow)])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity_files.server.certificate, identity_files.server.key)
    listener = listening.Listener(app, context, max_connections=10)
    yield await listener.open(LOOPBACK, 0)
    await listener.close()


@pytest.mark.parametrize(("said", "answered"), [(REQUEST, True), (REQUEST[:-2], False), (b"", False)])
async def test_who_has_said_what_it_wants_gets_its_answer_however_long_that_takes(
    port: int, identity_files: IdentityFiles, said: bytes, answered: bool
) -> None:
    context = ssl.create_default_context(cafile=identity_files.authority.certificate)
    reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
    writer.write(said)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.endswith(b"done") is answered
