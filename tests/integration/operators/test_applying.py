"""Applying to a cluster that is lost in the middle of it."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from operators.workload.applying import Applier, apply_all
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterUnreachable

CONFIG_MAPS = {
    "kind": "APIResourceList",
    "resources": [{"name": "configmaps", "kind": "ConfigMap", "namespaced": True}],
}


async def test_nothing_is_under_way_any_more_once_a_cluster_is_said_to_be_away() -> None:
    """What goes on alone would make anew what the next cycle, maybe that of the deletion, has taken away."""
    arrived, ended = [asyncio.Event(), asyncio.Event()], []

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response(CONFIG_MAPS)

    async def lost(request: web.Request) -> web.Response:
        arrived[0].set()
        await arrived[1].wait()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def late(request: web.Request) -> web.Response:
        arrived[1].set()
        await arrived[0].wait()
        await asyncio.sleep(0.2)
        ended.append(request.path)
        return web.json_response({})

    app = web.Application()
    app.add_routes([web.get("/api/v1", discovery)])
    app.add_routes(
        [web.patch(f"/api/v1/namespaces/n/configmaps/{name}", do) for name, do in (("a", lost), ("b", late))]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cluster = Cluster(ClusterAccess(endpoint=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    applier = Applier(cluster=cluster, live={}, uid="u", check_lease=lambda: None, new_namespaces={"n"})
    manifests = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}} for name in "ab"
    ]
    try:
        with pytest.raises(ClusterUnreachable):
            await apply_all(applier, manifests)
        assert ended == ["/api/v1/namespaces/n/configmaps/b"]
    finally:
        await cluster.close()
        await runner.cleanup()
