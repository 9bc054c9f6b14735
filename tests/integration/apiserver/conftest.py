"""What the tests of the API server share: sessions of callers, and objects to write."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from tests.fixtures.api import Api
from tests.integration.apiserver.http import Http
from threeport.client.config import ClientSettings


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t-{uuid.uuid4().hex[:10]}"


@pytest.fixture
async def http(api: Api) -> AsyncIterator[Callable[[ClientSettings], Http]]:
    """Makes a raw HTTP client of some caller of the shared API server."""
    sessions: list[aiohttp.ClientSession] = []

    def make(settings: ClientSettings) -> Http:
        made = Http.of(settings)
        sessions.append(made.session)
        return made

    yield make
    for session in sessions:
        await session.close()


@pytest.fixture
async def admin(http: Callable[[ClientSettings], Http], api: Api) -> Http:
    """The administrator of the shared API server."""
    return http(api.admin)


@pytest.fixture
def workload(name: str) -> dict[str, Any]:
    """A small Workload that does not exist yet."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}}
    return {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name},
        "spec": {"manifests": [manifest]},
    }
