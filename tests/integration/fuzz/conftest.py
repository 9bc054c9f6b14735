"""A raw way to send anything, and what every answer has to be like: prompt, a Status when it refuses, never a 5xx."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fixtures.api import Api

GROUP = "/apis/threeport.io/v1alpha1"
REPORTS = f"{GROUP}/namespaces/default/workloadreports"
LONGEST = 5.0
"""Seconds that an answer may take, on a busy machine."""
GROWTH = 200 * 1024
"""KiB that the server may grow by while it is sent nonsense: a few bodies of the largest size, and caches."""


@dataclass
class Sender:
    """One connection to the API as the administrator; made anew when the server closes it."""

    api: Api
    _connection: http.client.HTTPSConnection | None = field(default=None, init=False)

    def __call__(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> Any:
        """Sends the bytes as they are; returns code and decoded answer, after the checks that hold for any answer."""
        headers = {"Content-Type": content_type} if content_type else {}
        begun = time.monotonic()
        code, raw = self.exchange(method, path, body, headers)
        assert time.monotonic() - begun < LONGEST, f"{method} {path} took too long"
        assert code < 500, raw
        if code >= 400 and raw:
            assert json.loads(raw)["kind"] == "Status", raw
        return code, raw

    def exchange(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Sends the bytes as they are; returns code and bytes of the answer."""
        for _ in range(2):
            connection = self._connection or self._connected()
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (ConnectionError, http.client.HTTPException):
                # After a body that is too large the server closes; a fresh connection has to work.
                self.close()
            except TimeoutError:
                self.close()
                raise
        raise AssertionError(f"no answer to {method} {path}")

    def close(self) -> None:
        """Leaves; the next request makes a new connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self) -> http.client.HTTPSConnection:
        address = urlsplit(self.api.url)
        context = self.api.tls(self.api.files.admin)
        self._connection = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=context, timeout=30
        )
        return self._connection


@pytest.fixture(scope="module")
def send(api: Api) -> Iterator[Sender]:
    """Sends anything to the shared API server."""
    with contextlib.closing(Sender(api)) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def _memory_is_bounded(api: Api) -> Iterator[None]:
    before = resident(api)
    yield
    assert resident(api) - before < GROWTH, "the server has grown"


def resident(api: Api) -> int:
    """KiB of memory that the server holds."""
    with open(f"/proc/{api.process.pid}/status") as status:  # noqa: PTH123 - no file, but the kernel's view
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS")))
