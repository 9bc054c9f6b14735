"""Odd requests get the status and the reason from this API that kube-apiserver gives for a CRD of the same schema.

Where it answers 500 to what is a client's mistake, anything below 500 will do. What else differs is written down in
`meant_differences`, and a difference that has gone has to go there too.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import yaml
from kubernetes.config import new_client_from_config
from yarl import URL

from tests.cluster.provision import Cluster
from tests.fixtures.api import Api
from tests.integration.clients.meant_differences import MEANT
from tests.integration.clients.odd_requests import Odd, definition, requests

pytestmark = pytest.mark.slow
DEADLINE = 60.0
BASE = "/apis/threeport.io/v1alpha1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD = "workloaddefinitions.threeport.io"
CRD_FILE = Path(__file__).parents[3] / "crds" / f"{CRD}.yaml"


class Outcome(NamedTuple):
    """How a server has answered: the status (0: it has cut the connection), and the reason if it gives one as JSON."""

    status: int
    reason: str | None
    is_json: bool

    def agrees(self, other: Outcome) -> bool:
        """Whether it is what Kubernetes, the `other`, means."""
        if other.status == 500:
            return self.status < 500
        return self.status == other.status and (self.reason == other.reason or not other.is_json)


@dataclass
class Server:
    """A server of Kubernetes' API, as its administrator sees it."""

    url: str
    session: aiohttp.ClientSession
    namespace: str

    async def ask(self, odd: Odd) -> Outcome:
        """The answer to a request; of a watch only how it begins."""
        path = odd.path.replace("{base}", BASE).replace("{ns}", self.namespace)
        body = odd.body if isinstance(odd.body, str) or odd.body is None else json.dumps(odd.body)
        headers = {"Content-Type": odd.content_type, **odd.headers}
        data = None if body is None else body.encode()
        try:
            async with self.session.request(
                odd.method, URL(self.url + path, encoded=True), data=data, headers=headers
            ) as response:
                if response.status == 200 and ("watch=true" in path or "/watch/" in path):
                    response.close()
                    return Outcome(200, None, True)
                return _outcome(response, await response.read())
        except aiohttp.ServerDisconnectedError:
            return Outcome(0, None, False)

    async def call(self, method: str, path: str, body: Any = None) -> int:
        """The status of a plain request."""
        async with self.session.request(method, f"{self.url}{path}", json=body) as response:
            return response.status


def _outcome(response: aiohttp.ClientResponse, raw: bytes) -> Outcome:
    if response.content_type not in ("application/json", "application/yaml"):
        return Outcome(response.status, None, False)
    body = yaml.safe_load(raw) if "yaml" in response.content_type else json.loads(raw or b"{}")
    is_status = isinstance(body, dict) and body.get("kind") == "Status"
    return Outcome(response.status, body.get("reason") if is_status else None, True)


def _server(kubeconfig: str, namespace: str) -> Server:
    access = new_client_from_config(config_file=kubeconfig).configuration  # type: ignore[no-untyped-call]
    tls = ssl.create_default_context(cafile=access.ssl_ca_cert)
    tls.load_cert_chain(access.cert_file, access.key_file)
    connector = aiohttp.TCPConnector(ssl=tls, force_close=True)
    return Server(access.host, aiohttp.ClientSession(connector=connector), namespace)


@pytest.fixture
async def ours(api: Api, name: str) -> AsyncIterator[Server]:
    server = _server(str(api.kubeconfig), name)
    async with server.session:
        await _furnish(server)
        yield server


@pytest.fixture
async def kubernetes(cluster: Cluster, name: str) -> AsyncIterator[Server]:
    server = _server(str(cluster.kubeconfig), name)
    async with server.session:
        assert await server.call("POST", CRDS, yaml.safe_load(CRD_FILE.read_text())) == 201
        await _furnish(server)
        yield server
        await server.call("DELETE", f"{CRDS}/{CRD}")
        await server.call("DELETE", f"/api/v1/namespaces/{name}")
        async with asyncio.timeout(DEADLINE):
            while await server.call("GET", f"{CRDS}/{CRD}") != 404:
                await asyncio.sleep(0.1)


async def _furnish(server: Server) -> None:
    """A namespace with one object in it; a kind that is new is served after a moment only."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": server.namespace}}
    assert await server.call("POST", "/api/v1/namespaces", namespace) == 201
    path = f"{BASE}/namespaces/{server.namespace}/workloaddefinitions"
    async with asyncio.timeout(DEADLINE):
        while await server.call("POST", path, definition("there")) != 201:
            await asyncio.sleep(0.1)


async def test_odd_requests_are_answered_as_kubernetes_answers_them(ours: Server, kubernetes: Server) -> None:
    differing: dict[str, tuple[Outcome, Outcome]] = {}
    for odd in requests():
        here, there = await ours.ask(odd), await kubernetes.ask(odd)
        if not here.agrees(there):
            differing[str(odd)] = (here, there)
    meant = {told for requests_told in MEANT.values() for told in requests_told}
    assert {told: outcomes for told, outcomes in differing.items() if told not in meant} == {}
    assert meant - differing.keys() == set()
