"""What the agent makes of a cluster that answers, but with errors: each kind fails on its own, the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from agent.cluster.identity import KindName
from agent.observation.kinds import EXPLAINING, KindWatches
from agent.observation.objects import Objects, Sight
from tests.fixtures.ports import free_port
from tests.integration.agent.conftest import eventually
from threeport.client import ClientSettings
from threeport.client.transport import Transport

LAMP, CONFIG_MAP, POD = KindName("lights.example.com/v1", "Lamp"), KindName("v1", "ConfigMap"), KindName("v1", "Pod")
RESOURCES = {
    "/api/v1": [("pods", "Pod"), ("configmaps", "ConfigMap")],
    "/apis/apps/v1": [("replicasets", "ReplicaSet")],
    "/apis/lights.example.com/v1": [("lamps", "Lamp")],
}

Handler = Callable[[web.Request], web.StreamResponse | None]


def status(code: int, reason: str, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "code": code, "reason": reason, "message": message}, status=code)


@asynccontextmanager
async def cluster_that(answers: Handler) -> AsyncIterator[Transport]:
    """An API server of empty lists and silent watches; what `answers` has an answer for is answered with that."""

    async def answer(request: web.Request) -> web.StreamResponse:
        special = answers(request)
        if special is not None:
            return special
        if request.path in RESOURCES:
            found = [
                {"name": name, "kind": kind, "namespaced": True, "verbs": ["list", "watch"]}
                for name, kind in RESOURCES[request.path]
            ]
            return web.json_response({"resources": found})
        if "watch" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "7"}, "items": []})
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(60)
        return response

    app = web.Application()
    app.router.add_get("/{rest:.*}", answer)
    runner, port = web.AppRunner(app, shutdown_timeout=0.1), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    transport = Transport(ClientSettings(url=f"http://127.0.0.1:{port}"))
    try:
        yield transport
    finally:
        await transport.close()
        await runner.cleanup()


@asynccontextmanager
async def watched(answers: Handler) -> AsyncIterator[Objects]:
    objects = Objects(lambda uid: None)
    async with cluster_that(answers) as transport:
        watches = KindWatches(transport, "eu", objects, lambda kind: None)
        watches.want({LAMP, CONFIG_MAP})
        try:
            yield objects
        finally:
            await watches.stop()


async def sighted(objects: Objects, sight: Sight) -> None:
    async def look() -> bool:
        others = all(objects.sight(kind) is Sight.COMPLETE for kind in EXPLAINING | {CONFIG_MAP})
        return others and objects.sight(LAMP) is sight

    await eventually(look, about=lambda: f"lamps are {objects.sight(LAMP)}")


def lists_fail(request: web.Request) -> web.Response | None:
    if request.path.endswith("/lamps"):
        return status(500, "InternalError", "conversion webhook failed: connection refused")
    return None


def its_server_is_down(request: web.Request) -> web.Response | None:
    if request.path == "/apis/lights.example.com/v1":
        return status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
    return None


def it_is_a_web_page(request: web.Request) -> web.Response | None:
    return web.Response(text="<html>Welcome</html>") if request.path.endswith("/lamps") else None


async def test_only_what_its_runtime_has_put_there_is_asked_for() -> None:
    asked: dict[str, set[str]] = {}

    def note(request: web.Request) -> web.Response | None:
        if request.path not in RESOURCES:
            asked.setdefault(request.path, set()).add(request.query.get("labelSelector", ""))
        return None

    async with watched(note) as objects:
        await sighted(objects, Sight.COMPLETE)
    assert {path.rpartition("/")[2] for path in asked} >= {"lamps", "configmaps", "pods"}
    assert set.union(*asked.values()) == {"threeport.io/workload-instance,threeport.io/runtime=eu"}


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (lists_fail, "conversion webhook failed"),
        (its_server_is_down, "currently unable to handle"),
        (it_is_a_web_page, "something else than JSON"),
    ],
)
async def test_a_kind_that_cannot_be_listed_is_said_so_and_the_others_are_watched(answers: Handler, why: str) -> None:
    async with watched(answers) as objects:
        await sighted(objects, Sight.FAILING)
        assert why in objects.why(LAMP)


async def test_a_kind_that_may_not_be_listed_is_said_so_and_the_others_are_watched() -> None:
    def forbidden(request: web.Request) -> web.Response | None:
        return status(403, "Forbidden", "no") if request.path.endswith("/lamps") else None

    async with watched(forbidden) as objects:
        await sighted(objects, Sight.DENIED)


async def test_a_kind_that_may_not_be_listed_is_asked_for_less_and_less_often() -> None:
    asked: list[float] = []

    def forbidden(request: web.Request) -> web.Response | None:
        if not request.path.endswith("/lamps"):
            return None
        asked.append(asyncio.get_running_loop().time())
        return status(403, "Forbidden", "no")

    async def thrice() -> bool:
        return len(asked) >= 3

    async with watched(forbidden):
        await eventually(thrice)
    first, second, third = asked[:3]
    assert third - second > 1.5 * (second - first)


async def test_a_kind_that_can_be_listed_again_is_known_again() -> None:
    broken = True

    def sometimes(request: web.Request) -> web.Response | None:
        return its_server_is_down(request) if broken else None

    async with watched(sometimes) as objects:
        await sighted(objects, Sight.FAILING)
        broken = False
        await sighted(objects, Sight.COMPLETE)


async def test_a_cluster_whose_watches_are_always_too_late_is_not_asked_for_lists_without_a_pause() -> None:
    lists = 0

    def always_too_late(request: web.Request) -> web.Response | None:
        nonlocal lists
        if not request.path.endswith("/lamps"):
            return None
        if "watch" in request.query:
            return status(410, "Expired", "too old resource version")
        lists += 1
        return None

    async with watched(always_too_late) as objects:
        await sighted(objects, Sight.COMPLETE)
        begun: Any = lists
        await asyncio.sleep(3)
        assert 0 < lists - begun < 10


async def test_a_page_of_a_list_that_expired_begins_the_list_anew_and_loses_nothing() -> None:
    pages = 0

    def expires_once(request: web.Request) -> web.Response | None:
        nonlocal pages
        if not request.path.endswith("/lamps") or "watch" in request.query:
            return None
        pages += 1
        if pages == 2:
            return status(410, "Expired", "the provided continue parameter is too old")
        more = {"continue": "more"} if "continue" not in request.query else {}
        name = "second" if "continue" in request.query else "first"
        labels = {"threeport.io/workload-instance": "i"}
        lamp = {"metadata": {"name": name, "namespace": "default", "uid": name, "labels": labels}}
        return web.json_response({"metadata": {"resourceVersion": "7", **more}, "items": [lamp]})

    async with watched(expires_once) as objects:
        await sighted(objects, Sight.COMPLETE)
        assert set(objects.of_instance("i")) == {"first", "second"}
