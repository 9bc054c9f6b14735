"""What flows out of pods and into them: logs, and connections to their ports.

A connection pool of its own for each use, and unbounded: streams live long and would take the places of requests. As
with `Cluster`, redirects are refused (CVE-2022-3172): credentials go nowhere else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final
from urllib.parse import quote

import aiohttp
from kubernetes.aio.client.exceptions import ApiException
from yarl import URL

from threeport.kube.access import ClusterAccess
from threeport.kube.connection import no_redirects, tls_context
from threeport.kube.errors import NETWORK_ERRORS, Rejected, from_answer, from_network, status_of

CONNECT_TIMEOUT: Final = 5.0
"""Seconds to reach the cluster."""

ANSWER_TIMEOUT: Final = 30.0
"""Seconds without a byte of a log that is not followed."""

PORT_PROTOCOL: Final = "v4.channel.k8s.io"
"""Channels of a port-forward over a WebSocket: the first byte of each message is the channel, 0 data, 1 errors; the
first message of each is the port (Kubernetes, ``pkg/kubelet/portforward/websocket.go``)."""

LARGEST_ANSWER: Final = 64 * 1024
"""Bytes of an error's body that are read."""


class PodStreams:
    """Streams from and to pods of one cluster: ``async with PodStreams(access) as streams``.

    All methods raise a `ClusterError`, sorted by what to do about it.
    """

    def __init__(self, access: ClusterAccess) -> None:
        self._access = access
        self._base = access.endpoint.rstrip("/")
        tls = tls_context(access) if self._base.startswith("https:") else False
        connector = aiohttp.TCPConnector(limit=0, ssl=tls)
        headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=ANSWER_TIMEOUT)
        self._session = aiohttp.ClientSession(
            connector=connector, headers=headers, timeout=limits, trust_env=True, trace_configs=[no_redirects()]
        )

    async def __aenter__(self) -> PodStreams:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @asynccontextmanager
    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> AsyncIterator[aiohttp.StreamReader]:
        """The log of a container, as it comes; `query` as Kubernetes has it (``container``, ``follow``, ...)."""
        silence = None if query.get("follow") == "true" else ANSWER_TIMEOUT
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=silence)
        url = self._url(namespace, pod, "log").with_query(query)
        try:
            async with self._session.get(url, timeout=limits, server_hostname=self._access.tls_server_name) as response:
                await _raise_for_status(response, f"the log of pod {namespace}/{pod}")
                yield response.content
        except NETWORK_ERRORS as error:
            raise from_network(error, self._base) from error

    @asynccontextmanager
    async def port(self, namespace: str, pod: str, port: int) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A connection to a port of a pod, by `PORT_PROTOCOL`."""
        url = self._url(namespace, pod, "portforward").with_query(ports=str(port))
        try:
            async with self._session.ws_connect(
                url, protocols=(PORT_PROTOCOL,), heartbeat=30, server_hostname=self._access.tls_server_name
            ) as socket:
                yield socket
        except aiohttp.WSServerHandshakeError as error:
            refused = ApiException(status=error.status, reason=f"no connection to port {port} ({error.message})")
            raise from_answer(refused, f"pod {namespace}/{pod}") from error
        except NETWORK_ERRORS as error:
            raise from_network(error, self._base) from error

    def _url(self, namespace: str, pod: str, subresource: str) -> URL:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/{subresource}"
        return URL(self._base + path, encoded=True)


async def _raise_for_status(response: aiohttp.ClientResponse, subject: str) -> None:
    if response.status == 200:
        return
    refused = ApiException(status=response.status, reason=response.reason)
    refused.body = (await response.content.read(LARGEST_ANSWER)).decode(errors="replace")
    error = from_answer(refused, subject)
    if isinstance(error, Rejected):
        raise Rejected(f"{subject} cannot be read: {status_of(refused).get('message') or response.reason}")
    raise error
