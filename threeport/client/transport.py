"""HTTP to one API server: TLS, credentials, bounded connections, timeouts, warnings, and the retries that are safe.

Safe is what cannot have happened twice: reads, and writes that the server has refused unread (429) or that never
left us (no connection).
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
from yarl import URL

from threeport.client.config import ClientSettings, ConfigError
from threeport.client.errors import Unreachable, error_from_answer
from threeport.common.errors import ApiError, ServiceUnavailable, TooManyRequests, Unauthorized

ATTEMPTS = 5
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
"""Seconds between attempts: doubling, with jitter; what the server says in Retry-After rules."""

SILENCE = 90.0
"""Seconds without a byte after which a watch counts as broken: servers send a bookmark at least every minute."""

HEARTBEAT = 30.0
"""Seconds between two pings of a WebSocket; without an answer it counts as broken."""

_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
"""A Warning header as Kubernetes sends it (RFC 7234, 5.5): code, agent, quoted text."""


class Answer(NamedTuple):
    """What the server said: the HTTP code (2xx) and the undecoded body."""

    code: int
    body: bytes


class Transport:
    """Sends requests to one API server. `on_warning` is called with the text of every Warning header."""

    def __init__(self, settings: ClientSettings, *, on_warning: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self.on_warning = on_warning
        self._base = settings.url.rstrip("/")
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Closes all connections; watches end."""
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            await session.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Sends one request and returns its answer; repeats it where that is safe.

        `timeout` is in seconds and for one attempt. Raises the `ApiError` of the server's Status, or `Unreachable`.
        """
        for attempt in range(ATTEMPTS):
            try:
                return await self._once(method, path, query or {}, body, headers or {}, timeout)
            except ApiError as error:
                if attempt + 1 == ATTEMPTS or not _may_repeat(method, error):
                    raise
                await asyncio.sleep(pause_after(attempt, error))
        raise AssertionError("unreachable: the last attempt returns or raises")

    @asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, str], *, silence: float | None = SILENCE
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """A GET whose answer is read as it comes; `silence` is how many seconds may pass without a byte.

        Raises as `request`, without repeating.
        """
        session = self._session(watching=True)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self.settings.connect_timeout, sock_read=silence)
        url = URL(self._base + path, encoded=True).update_query(query)
        try:
            async with session.get(
                url,
                headers=self._headers({}),
                timeout=limits,
                allow_redirects=False,
                server_hostname=self.settings.server_name,
            ) as response:
                self._collect_warnings(response)
                await _raise_for_status(response)
                yield response.content
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def websocket(
        self, path: str, query: Mapping[str, str], *, protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket. Raises as `request`, without repeating; a refusal comes without the server's message, which a
        plain GET of the same path tells."""
        session = self._session(watching=True)
        url = URL(self._base + path, encoded=True).update_query(query)
        try:
            async with session.ws_connect(
                url,
                protocols=(protocol,),
                headers=self._headers({}),
                heartbeat=HEARTBEAT,
                server_hostname=self.settings.server_name,
            ) as socket:
                yield socket
        except aiohttp.WSServerHandshakeError as error:
            raise error_from_answer(error.status, error.message.encode()) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float | None,
    ) -> Answer:
        session = self._session(watching=False)
        limits = aiohttp.ClientTimeout(
            total=timeout or self.settings.request_timeout, sock_connect=self.settings.connect_timeout
        )
        url = URL(self._base + path, encoded=True).update_query(query)
        try:
            async with session.request(
                method,
                url,
                data=body,
                headers=self._headers(headers),
                timeout=limits,
                allow_redirects=False,
                server_hostname=self.settings.server_name,
            ) as response:
                self._collect_warnings(response)
                await _raise_for_status(response)
                return Answer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    def _session(self, *, watching: bool) -> aiohttp.ClientSession:
        """Watches have connections of their own, so that many of them leave room for requests."""
        if watching not in self._sessions:
            connector = aiohttp.TCPConnector(
                limit=0 if watching else self.settings.max_connections,
                ssl=_tls(self.settings) if self._base.startswith("https:") else False,
            )
            self._sessions[watching] = aiohttp.ClientSession(
                connector=connector, auto_decompress=True, trace_configs=[_no_redirects()]
            )
        return self._sessions[watching]

    def _headers(self, extra: Mapping[str, str]) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": self.settings.user_agent, **extra}
        token = self.settings.token
        if self.settings.token_file:
            token = _read_token(self.settings.token_file)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _collect_warnings(self, response: aiohttp.ClientResponse) -> None:
        if self.on_warning:
            for header in response.headers.getall("Warning", ()):
                for text in _WARNING.findall(header):
                    self.on_warning(re.sub(r"\\(.)", r"\1", text))

    def _unreachable(self, error: Exception) -> Unreachable:
        """One sentence for all the ways in which a connection fails."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            why = f"its certificate is not to be trusted ({error.certificate_error})"
        elif isinstance(error, aiohttp.ClientConnectorError):
            why = error.os_error.strerror or str(error.os_error)
        elif isinstance(error, TimeoutError):
            why = "it did not answer in time"
        else:
            why = str(error) or type(error).__name__
        return Unreachable(f"The API at {self._base} cannot be reached: {why}")


def pause_after(attempt: int, error: ApiError | None = None) -> float:
    """Seconds to wait after attempt number `attempt` (from 0) failed with `error`."""
    if error is not None and error.retry_after is not None:
        return min(error.retry_after, LONGEST_PAUSE) * random.uniform(1.0, 1.2)
    return min(FIRST_PAUSE * 2.0 ** min(attempt, 16), LONGEST_PAUSE) * random.uniform(0.8, 1.2)


def _may_repeat(method: str, error: ApiError) -> bool:
    if isinstance(error, TooManyRequests):
        return True
    if isinstance(error, Unreachable) and isinstance(error.__cause__, aiohttp.ClientConnectorError):
        return not isinstance(error.__cause__, aiohttp.ClientConnectorCertificateError)
    return method == "GET" and isinstance(error, Unreachable | ServiceUnavailable)


async def _raise_for_status(response: aiohttp.ClientResponse) -> None:
    if response.status // 100 == 2:
        return
    if response.status // 100 == 3:
        raise error_from_answer(response.status, b"a redirect, which is not followed: credentials go nowhere else")
    raise error_from_answer(response.status, await response.read(), response.headers.get("Retry-After"))


def _no_redirects() -> aiohttp.TraceConfig:
    """For WebSockets, which would follow them: credentials go nowhere else."""
    tracing = aiohttp.TraceConfig()

    async def refuse(*_: object) -> None:
        raise aiohttp.ClientError("the server answered with a redirect, which is not followed")

    tracing.on_request_redirect.append(refuse)
    return tracing


def _tls(settings: ClientSettings) -> ssl.SSLContext:
    """Raises `ConfigError` for files that cannot be used."""
    with _named(settings.ca_file):
        context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.cert_file:
        with _named(settings.cert_file, settings.key_file):
            context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


@contextmanager
def _named(*files: str | None) -> Iterator[None]:
    """The library does not say which file it is that it cannot use."""
    try:
        yield
    except OSError as error:  # so are those of TLS
        names = " or ".join(file for file in files if file)
        raise ConfigError(f"The credentials in {names} cannot be used: {error.strerror or error}.") from None


def _read_token(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise Unauthorized(f"The token file {path} cannot be read: {error.strerror}") from None
