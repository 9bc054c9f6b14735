"""A client that costs little: HTTP/1.1 over TLS, prepared bytes out, status and body in.

The client runs on the same cores as the servers that are compared, so what it costs blurs the difference between them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """Status and body of an answer."""

    status: int
    body: bytes


class Target(NamedTuple):
    """A server to measure: one URL per process, and how to be let in."""

    name: str
    urls: tuple[str, ...]
    tls: ssl.SSLContext

    async def connect(self, number: int) -> Connection:
        """Connection `number`, spread over the processes in turn."""
        url = urlsplit(self.urls[number % len(self.urls)])
        reader, writer = await asyncio.open_connection(url.hostname, url.port, ssl=self.tls, limit=1 << 24)
        return Connection(reader, writer)


class Connection:
    """One kept-alive connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def request(self, method: str, path: str, body: bytes = b"", content: str = "application/json") -> Answer:
        """Sends a request and reads the whole answer."""
        self.send(method, path, body, content)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        status = int(head[9:12])
        if b"transfer-encoding: chunked" in lowered:
            return Answer(status, b"".join([chunk async for chunk in self.chunks()]))
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 : lowered.index(b"\r\n", at)]) if at >= 0 else 0
        return Answer(status, await self._reader.readexactly(length))

    def send(self, method: str, path: str, body: bytes = b"", content: str = "application/json") -> None:
        """Sends a request whose answer is read by `head` and `chunks`."""
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n"
            f"Content-Type: {content}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    async def head(self) -> int:
        """The status of an answer whose body is read by `chunks`."""
        return int((await self._reader.readuntil(b"\r\n\r\n"))[9:12])

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks of a chunked body, as they come."""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)

    def close(self) -> None:
        """Closes it."""
        self._writer.close()
