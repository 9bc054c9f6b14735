"""Handles of clusters: one for each, which goes when the way in changes, and leaves no connection behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from threeport.bootstrap.local.processes import LOOPBACK
from threeport.kube import exchange
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.clusters import Clusters
from threeport.kube.errors import AccessDenied, ClusterFailed, ClusterUnreachable
from threeport.kube.pod_streams import PodStreams


@dataclass
class Answering:
    """A server that answers ``/version`` when it may, and says with which tokens it was asked."""

    url: str = ""
    runner: web.AppRunner | None = None
    body: str = '{"gitVersion": "v1.36.1"}'
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        assert self.runner is not None
        assert self.runner.server is not None
        return len(self.runner.server.connections)

    async def version(self, _: web.Request) -> web.Response:
        """The handler."""
        self.asked.set()
        await self.may_answer.wait()
        return web.Response(text=self.body, content_type="application/json")

    def access(self, token: str) -> ClusterAccess:
        """The way in, with a token."""
        return ClusterAccess(endpoint=self.url, token=token)


@pytest.fixture
async def server() -> AsyncIterator[Answering]:
    """Listens on a free port."""
    made, app = Answering(), web.Application()
    app.add_routes([web.get("/version", made.version)])
    made.runner = web.AppRunner(app)
    await made.runner.setup()
    site = web.TCPSite(made.runner, LOOPBACK, 0)
    await site.start()
    made.url = f"http://{LOOPBACK}:{made.runner.addresses[0][1]}"
    yield made
    await made.runner.cleanup()


async def until_closed(server: Answering) -> None:
    async with asyncio.timeout(5):
        while server.connections:
            await asyncio.sleep(0.01)


async def test_a_handle_that_is_closed_ends_its_requests_and_leaves_no_connection(server: Answering) -> None:
    cluster = Cluster(server.access("a"))
    under_way = asyncio.create_task(cluster.version())
    await server.asked.wait()
    await cluster.close()
    server.may_answer.set()
    assert await under_way == "v1.36.1"
    assert await cluster.version() == "v1.36.1"
    await until_closed(server)


async def test_of_two_who_ask_for_a_cluster_with_new_credentials_both_get_the_same(server: Answering) -> None:
    clusters = Clusters()
    server.may_answer.set()
    former = await clusters.get("uid", server.access("a"))
    assert await former.version() == "v1.36.1"
    one, other = await asyncio.gather(*(clusters.get("uid", server.access("b")) for _ in range(2)))
    assert one is other
    assert one is not former
    await clusters.close()
    await until_closed(server)


async def test_the_handle_that_was_used_longest_ago_makes_room(server: Answering) -> None:
    clusters = Clusters(kept=2)
    server.may_answer.set()
    first, second = [await clusters.get(uid, server.access("a")) for uid in ("1", "2")]
    assert await clusters.get("1", server.access("a")) is first
    await clusters.get("3", server.access("a"))
    assert await clusters.get("1", server.access("a")) is first
    assert await clusters.get("2", server.access("a")) is not second
    await clusters.close()


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "<html>", ""])
async def test_what_is_no_answer_of_kubernetes_is_a_cluster_out_of_reach(server: Answering, body: str) -> None:
    server.body = body
    server.may_answer.set()
    cluster = Cluster(server.access("a"))
    with pytest.raises(ClusterUnreachable, match="does not answer as a Kubernetes API"):
        await cluster.version()
    await cluster.close()


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_without_an_end_is_not_read_to_the_end(
    server: Answering, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LARGEST_ANSWER", 10_000)
    sent = asyncio.Event()

    async def go_on(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        if packed:
            answer.enable_compression()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b" " * 5_000)
        finally:
            sent.set()

    app = web.Application()
    app.add_routes([web.get("/version", go_on)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    cluster = Cluster(ClusterAccess(endpoint=f"http://{LOOPBACK}:{runner.addresses[0][1]}"))
    with pytest.raises(ClusterFailed, match="answers GET /version with more than 10000 bytes"):
        await cluster.version()
    await asyncio.wait_for(sent.wait(), timeout=10)
    await cluster.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    "text", ["no certificate", "é", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"]
)
@pytest.mark.parametrize("made", [Cluster, PodStreams])
async def test_certificates_that_are_none_deny_access_by_name(
    made: type[Cluster] | type[PodStreams], text: str
) -> None:
    for access in (
        ClusterAccess(endpoint="https://x", certificate_authority=text),
        ClusterAccess(endpoint="https://x", client_certificate=text, client_key=text),
    ):
        with pytest.raises(AccessDenied, match="certificateAuthority, clientCertificate or clientKey"):
            made(access)


async def through_cluster(access: ClusterAccess) -> None:
    cluster = Cluster(access)
    try:
        await cluster.version()
    finally:
        await cluster.close()


async def through_log(access: ClusterAccess) -> None:
    async with PodStreams(access) as streams, streams.log("a", "web", {}):
        pass


async def through_port(access: ClusterAccess) -> None:
    async with PodStreams(access) as streams, streams.port("a", "web", 80):
        pass


@pytest.mark.parametrize("way", [through_cluster, through_log, through_port])
async def test_no_way_into_a_cluster_follows_a_redirect(
    server: Answering, way: Callable[[ClusterAccess], Awaitable[None]]
) -> None:
    async def lead_astray(_: web.Request) -> web.Response:
        raise web.HTTPFound(f"{server.url}/version")

    server.may_answer.set()
    app = web.Application()
    app.add_routes([web.get("/{path:.*}", lead_astray)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    with pytest.raises(ClusterUnreachable, match="redirect, which is not followed"):
        await way(ClusterAccess(endpoint=f"http://{LOOPBACK}:{runner.addresses[0][1]}", token="secret"))
    assert not server.asked.is_set()
    await runner.cleanup()
