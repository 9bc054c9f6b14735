"""The way to a cluster goes through the proxy of the environment, which is looked up once and not for each request."""

from __future__ import annotations

import pytest

from threeport.kube.access import ClusterAccess
from threeport.kube.connection import api_client


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://far.example:6443", "http://proxy.example:3128"),
        ("http://far.example", None),
        ("https://near.example:6443", None),
    ],
)
async def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, expected: str | None
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "no_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "near.example")
    client = api_client(ClusterAccess(endpoint=endpoint), connections=1)
    assert client.rest_client.proxy == expected
    session = client.rest_client._create_pool_manager()
    assert not session.trust_env
    await session.close()
    await client.close()  # type: ignore[no-untyped-call]
