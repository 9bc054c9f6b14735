"""Who may look into clusters, and that the way there leads nowhere else."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from tests.fixtures.api import Api
from tests.integration.apiserver.http import Answer, Http
from threeport.client import Client
from threeport.resources.core import Namespace
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadDefinition, WorkloadInstance

CANARY = "canary-token-of-the-cluster"
Call = Callable[[str], Awaitable[Answer]]

VIEWS = ("pods", "log", "portforward?port=80")


class Placed:
    """An instance that says it runs on a runtime, which no controller has looked at."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.name = f"t-{uuid.uuid4().hex[:8]}"
        self.path = f"/apis/threeport.io/v1alpha1/namespaces/{self.name}/workloadinstances/{self.name}"

    async def on(self, endpoint: str, ca: str = "") -> str:
        """Makes all the objects; returns the path of the instance."""
        name, client = self.name, self.client
        await client.create({"metadata": {"name": name}}, kind_of(Namespace))
        provider = {"infraProvider": "kubeconfig"}
        await client.create({"metadata": {"name": name}, "spec": provider}, kind_of(KubernetesRuntimeDefinition))
        access = {"endpoint": endpoint, "token": CANARY, **({"certificateAuthority": ca} if ca else {})}
        runtime = {"definitionRef": {"name": name}, **access}
        await client.create({"metadata": {"name": name}, "spec": runtime}, kind_of(KubernetesRuntimeInstance))
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        place = {"name": name, "namespace": name}
        await client.create({"metadata": place, "spec": {"manifests": [manifest]}}, kind_of(WorkloadDefinition))
        spec = {"definitionRef": {"name": name}, "runtimeRef": {"name": name}}
        await client.create({"metadata": place, "spec": spec}, kind_of(WorkloadInstance))
        return self.path

    async def started(self) -> None:
        """Lets the instance say that it is on its runtime."""
        await self.client.patch_status(kind_of(WorkloadInstance), self.name, self.name, {"runtime": self.name})


@pytest.fixture
async def placed(api: Api) -> AsyncIterator[Placed]:
    """An instance of one test."""
    async with Client(api.admin) as client:
        yield Placed(client)


@pytest.fixture
async def call(api: Api) -> AsyncIterator[Call]:
    """GET as the administrator."""
    made = Http.of(api.admin)
    yield made.get
    await made.session.close()


async def test_only_those_with_the_right_look_into_clusters(api: Api, placed: Placed) -> None:
    path = await placed.on("https://127.0.0.1:1")
    await placed.started()
    for settings, code in (
        (api.anonymous, 401),
        (api.agent(placed.name), 403),
        (api.controller("workload"), 403),
    ):
        caller = Http.of(settings)
        for view in VIEWS:
            answer = await caller.get(f"{path}/{view}")
            assert (answer.code, CANARY in answer.text) == (code, False), view
        await caller.session.close()


async def test_an_instance_on_no_cluster_and_one_that_does_not_exist_are_told_apart(placed: Placed, call: Call) -> None:
    path = await placed.on("https://127.0.0.1:1")
    for view in VIEWS:
        answer = await call(f"{path}/{view}")
        assert (answer.code, "is on no cluster yet" in answer.text) == (409, True)
        answer = await call(f"{path}x/{view}")
        assert answer.code == 404


async def test_a_cluster_that_cannot_be_reached_is_a_503_that_names_it(placed: Placed, call: Call) -> None:
    path = await placed.on("https://127.0.0.1:1")
    await placed.started()
    for view in VIEWS:
        answer = await call(f"{path}/{view}")
        assert answer.code == 503
        assert f"Runtime {placed.name}: the cluster at https://127.0.0.1:1 cannot be reached" in answer.json["message"]


async def test_redirects_of_a_cluster_are_refused_and_its_token_goes_nowhere_else(
    api: Api, placed: Placed, call: Call
) -> None:
    taken: list[str] = []

    async def steal(request: web.Request) -> web.Response:
        taken.append(request.headers.get("Authorization", ""))
        return web.json_response({"kind": "PodList", "items": []})

    async with _server(api, steal) as elsewhere:

        async def redirect(request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"{elsewhere}{request.path}")

        async with _server(api, redirect) as cluster:
            path = await placed.on(cluster, api.ca_file.read_text())
            await placed.started()
            for view in VIEWS:
                answer = await call(f"{path}/{view}")
                assert (answer.code, CANARY in answer.text) == (503, False)
                assert "redirect" in answer.text
    assert taken == []


async def test_other_parameters_methods_and_web_pages_are_refused(api: Api, placed: Placed, call: Call) -> None:
    path = await placed.on("https://127.0.0.1:1")
    await placed.started()
    admin = Http.of(api.admin)
    assert (await admin.get(f"{path}/log?tailLines=-1")).code == 400
    assert (await admin.get(f"{path}/log?insecureSkipTLSVerifyBackend=true")).code == 400
    assert (await admin.get(f"{path}/portforward?port=80", Origin="https://evil.example")).code == 403
    for view in VIEWS:
        assert (await admin.post(f"{path}/{view}", {})).code == 405
    await admin.session.close()


class _server:  # noqa: N801 - used as a function
    """A small HTTPS server that answers everything in one way."""

    def __init__(self, api: Api, handler: Handler) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        self._runner = web.AppRunner(app)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(api.files.server.certificate, api.files.server.key)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context).start()
        return f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
