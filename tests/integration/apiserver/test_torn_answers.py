"""An answer that cannot be completed ends with its connection: nothing else tells a client that it is torn."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.fixtures.api import Api
from tests.integration.apiserver.http import GROUP, Http
from threeport.bootstrap.local.processes import LOOPBACK
from threeport.kube.labels import INSTANCE_LABEL

INSTANCES = f"{GROUP}/namespaces/default/workloadinstances"


class FailingCluster:
    """A cluster with one pod that has written one line; from then on all else that it is asked fails."""

    def __init__(self) -> None:
        self.uid = ""
        self.has_answered = False

    async def kinds(self, _: web.Request) -> web.Response:
        """``/api/v1``"""
        return web.json_response({"resources": [{"kind": "Pod", "name": "pods", "namespaced": True}]})

    async def pods(self, _: web.Request) -> web.Response:
        """``/api/v1/pods``"""
        if self.has_answered:
            return web.json_response({"kind": "Status", "message": "etcd is away", "code": 500}, status=500)
        metadata = {"name": "web", "namespace": "a", "uid": "p", "labels": {INSTANCE_LABEL: self.uid}}
        state = {"name": "main", "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}}
        pod = {
            "metadata": metadata,
            "spec": {"containers": [{"name": "main"}]},
            "status": {"phase": "Running", "containerStatuses": [state]},
        }
        return web.json_response({"kind": "PodList", "metadata": {}, "items": [pod]})

    async def log(self, request: web.Request) -> web.StreamResponse:
        """The log of the pod, which does not end."""
        self.has_answered = True
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"2026-01-02T03:04:05.678901234Z hello\n")
        await asyncio.Event().wait()
        return response


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[FailingCluster, str]]:
    """The cluster, and its endpoint."""
    made, app = FailingCluster(), web.Application()
    app.add_routes([web.get("/api/v1", made.kinds), web.get("/api/v1/pods", made.pods)])
    app.add_routes([web.get("/api/v1/namespaces/a/pods/web/log", made.log)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    yield made, f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_log_whose_cluster_fails_is_torn_and_no_second_answer_stands_in_it(
    api: Api, admin: Http, name: str, cluster: tuple[FailingCluster, str]
) -> None:
    failing, endpoint = cluster
    version = {"apiVersion": "threeport.io/v1alpha1", "metadata": {"name": name}}
    runtime = {"definitionRef": {"name": "none"}, "endpoint": endpoint}
    instance = {**version, "kind": "WorkloadInstance", "spec": {"definitionRef": {"name": "none"}}}
    made = await admin.post(
        f"{GROUP}/kubernetesruntimeinstances", {**version, "kind": "KubernetesRuntimeInstance", "spec": runtime}
    )
    assert made.code == 201, made.text
    failing.uid = (await admin.post(INSTANCES, instance)).json["metadata"]["uid"]
    assert (await admin.patch(f"{INSTANCES}/{name}/status", {"status": {"runtime": name}})).code == 200

    context: ssl.SSLContext = api.tls(api.files.admin)
    reader, writer = await asyncio.open_connection(LOOPBACK, api.process.port, ssl=context)
    writer.write(f"GET {INSTANCES}/{name}/log?follow=true HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(20):
        said = await reader.read()
    writer.close()
    assert b"hello\n" in said
    assert said.count(b"HTTP/1.1") == 1
    assert not said.endswith(b"0\r\n\r\n")
