"""Plain HTTP to any of the servers, without a retry: each answer is to be seen as it is."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import NamedTuple

import aiohttp
import orjson

from threeport.common.types import FrozenJson, JsonObject

COLLECTION = "/apis/threeport.io/v1alpha1/namespaces/{namespace}/workloaddefinitions"
EVERYWHERE = "/apis/threeport.io/v1alpha1/workloaddefinitions"
TRANSACTIONS = "/apis/threeport.io/v1alpha1/transactions"
MERGE_PATCH = "application/merge-patch+json"

SECONDS = 20.0
"""For a request; the server itself gives up on a database that does not answer after ten."""
FAILURES = (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError)
"""What a connection that was cut looks like, an answer that breaks off included."""


class Reply(NamedTuple):
    """An answer; code 0 and no body if there was none."""

    code: int
    body: JsonObject

    @property
    def message(self) -> str:
        """What a Status says."""
        return str(self.body.get("message", ""))


class Connection:
    """One client's connections to all servers; `urls` are theirs."""

    def __init__(self, urls: list[str], tls: ssl.SSLContext) -> None:
        self.urls = urls
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=0))

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def request(
        self,
        server: int,
        method: str,
        path: str,
        body: FrozenJson | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Reply:
        """One request, made once."""
        try:
            async with self._session.request(
                method,
                self.urls[server] + path,
                params=query,
                data=None if body is None else orjson.dumps(body),
                headers={"Content-Type": content_type},
                timeout=aiohttp.ClientTimeout(total=SECONDS, sock_connect=2),
            ) as answer:
                return Reply(answer.status, orjson.loads(await answer.read()))
        except FAILURES as error:
            return Reply(0, {"message": f"{type(error).__name__} {error}"})

    @asynccontextmanager
    async def stream(self, server: int, path: str, query: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """A watch. Raises one of `FAILURES` when it is cut."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=SECONDS)
        async with self._session.get(self.urls[server] + path, params=query, timeout=limits) as answer:
            yield answer


def now() -> float:
    """The time of the history: seconds of a clock that only goes forward."""
    return time.monotonic()
