"""The connection to NATS, which may be away at any time, also at the start.

Nothing here raises into a request or waits for NATS: who needs the connection asks whether it is there.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nats
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from threeport.events.stream import StreamSettings
from threeport.events.tasks import start, stop

logger = logging.getLogger(__name__)

RECONNECT_DELAY = 0.25
"""Seconds between attempts to connect."""

NATS_ERRORS = (nats.errors.Error, OSError, asyncio.TimeoutError)
"""What NATS being away looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """How to reach NATS: server URLs, and how to prove who we are."""

    servers: tuple[str, ...]
    tls: ssl.SSLContext | None = None
    credentials: Path | None = None
    """File with a user's JWT and seed (``nsc``'s .creds)."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    stream: StreamSettings = field(default_factory=StreamSettings)


class Broker:
    """One connection of this process to NATS, kept up in the background."""

    def __init__(self, settings: BrokerSettings, *, name: str = "threeport") -> None:
        self.settings = settings
        self._name = name
        self._client: Client | None = None
        self._jetstream: JetStreamContext | None = None
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def stream(self) -> StreamSettings:
        """The stream that changes go through."""
        return self.settings.stream

    @property
    def connected(self) -> bool:
        """Whether the connection is up right now."""
        return self._client is not None and self._client.is_connected

    async def open(self) -> None:
        """Begin to connect; returns at once, connected or not."""
        self._task = start(self._keep_connected(), "nats-connection")

    async def close(self) -> None:
        """Give up the connection."""
        if self._task is not None:
            await stop([self._task])
        if self._client is not None and not self._client.is_closed:
            with suppress(*NATS_ERRORS):
                await self._client.close()

    async def client(self) -> Client:
        """The connection, as soon as it is up."""
        while self._client is None or not self._client.is_connected:
            self._changed.clear()
            await self._changed.wait()
        return self._client

    def jetstream(self) -> JetStreamContext:
        """JetStream on the present connection. Raises `ConnectionClosedError` if there has been none yet."""
        if self._jetstream is None:
            raise nats.errors.ConnectionClosedError
        return self._jetstream

    async def _keep_connected(self) -> None:
        # The client reconnects by itself, also at first; it closes only when the server turns its credentials down.
        while True:
            self._closed.clear()
            try:
                self._client = await self._connect()
                self._jetstream = self._client.jetstream(timeout=2.0)
                self._changed.set()
                logger.info(
                    "connected to NATS at %s", self._client.connected_url.netloc if self._client.connected_url else "?"
                )
                await self._closed.wait()
            except NATS_ERRORS as error:
                logger.warning("NATS cannot be reached: %s", error)
            await asyncio.sleep(RECONNECT_DELAY)

    async def _connect(self) -> Client:
        settings = self.settings
        return await nats.connect(
            list(settings.servers),
            name=self._name,
            tls=settings.tls,
            user=settings.user,
            password=settings.password,
            user_credentials=str(settings.credentials) if settings.credentials else None,
            connect_timeout=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_DELAY,
            ping_interval=5,
            max_outstanding_pings=2,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
            closed_cb=self._on_close,
        )

    async def _on_error(self, error: Exception) -> None:
        logger.debug("NATS: %s", error)

    async def _on_disconnect(self) -> None:
        logger.warning("connection to NATS lost; until it is back, changes reach watchers through the database")

    async def _on_reconnect(self) -> None:
        logger.info("connected to NATS again")
        self._changed.set()

    async def _on_close(self) -> None:
        self._closed.set()
