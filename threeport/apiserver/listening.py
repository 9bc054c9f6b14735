"""Listening: TLS connections, how many there may be, how long they may dawdle, and how they end.

aiohttp has no time limit for the headers of a connection's first request (later ones fall under its keep-alive
timeout), and no limit to the number of connections; both are added here.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from threeport.apiserver.metrics import REFUSED

HEADER_TIMEOUT: Final = 15.0
"""Seconds from the connection to the end of the headers of its first request."""
HANDSHAKE_TIMEOUT: Final = 10.0
KEEP_ALIVE: Final = 75.0
"""Seconds that a connection may be idle."""
DRAIN_TIMEOUT: Final = 10.0
"""Seconds that requests under way get to finish when the server stops."""
BACKLOG: Final = 1024

_OVERLOADED = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Listener:
    """Serves one application on one address."""

    def __init__(self, app: web.Application, context: ssl.SSLContext, *, max_connections: int) -> None:
        self._context = context
        self._max_connections = max_connections
        self._silent: set[web.RequestHandler] = set()
        self._server: asyncio.Server | None = None
        app.middlewares.insert(0, self._heard)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEP_ALIVE, shutdown_timeout=DRAIN_TIMEOUT)

    async def open(self, host: str, port: int, *, share_port: bool = False) -> int:
        """Begins to listen; returns the port, which the system chooses if 0 was asked for.

        With `share_port` other processes of this user may listen on it too, and the system spreads the connections.
        """
        await self._runner.setup()
        self._server = await asyncio.get_running_loop().create_server(
            self._accepted,
            host,
            port,
            ssl=self._context,
            backlog=BACKLOG,
            reuse_address=True,
            reuse_port=share_port or None,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
        )
        listening: socket.socket = self._server.sockets[0]
        return int(listening.getsockname()[1])

    def stop_accepting(self) -> None:
        """Takes no more connections; those that are open go on."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Lets requests under way finish, up to `DRAIN_TIMEOUT`, and closes all connections."""
        self.stop_accepting()
        await self._runner.cleanup()

    def _accepted(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._max_connections:
            REFUSED.labels("connections").inc()
            return _Refusal()
        connection = server()
        self._silent.add(connection)
        asyncio.get_running_loop().call_later(HEADER_TIMEOUT, self._end_if_silent, connection)
        return connection

    def _end_if_silent(self, connection: web.RequestHandler) -> None:
        if connection in self._silent:
            self._silent.discard(connection)
            connection.force_close()

    @web.middleware
    async def _heard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The headers are complete. How long the body and the answer may take is for others to say."""
        self._silent.discard(request.protocol)
        return await handler(request)


class _Refusal(asyncio.Protocol):
    """A connection too many: told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What uvloop passes can write, but is no instance of asyncio's classes.
        cast(asyncio.WriteTransport, transport).write(_OVERLOADED)
        transport.close()
