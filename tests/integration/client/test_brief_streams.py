"""A server that ends streams as soon as they begin is not asked without a pause."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from itertools import pairwise

import orjson
import pytest
from aiohttp import web

from threeport.bootstrap.local.processes import LOOPBACK
from threeport.client import Client, ClientSettings
from threeport.client.transport import FIRST_PAUSE
from threeport.resources.core import Event
from threeport.resources.model import kind_of

BOOKMARK = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "2"}}}
EXPIRED = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}


@pytest.mark.parametrize("line", [None, BOOKMARK, EXPIRED], ids=["nothing", "bookmark", "expired"])
async def test_streams_that_end_at_once_and_bring_nothing_are_begun_with_growing_pauses(
    line: dict[str, object] | None,
) -> None:
    begun: list[float] = []
    enough = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if "watch" not in request.query:
            return web.json_response({"kind": "EventList", "metadata": {"resourceVersion": "1"}, "items": []})
        begun.append(time.monotonic())
        if len(begun) == 5:
            enough.set()
        return web.Response(body=orjson.dumps(line) + b"\n" if line else b"", content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()

    async def watch() -> None:
        async with (
            Client(ClientSettings(url=f"http://{LOOPBACK}:{runner.addresses[0][1]}")) as client,
            aclosing(client.watch(kind_of(Event), "default")) as events,
        ):
            async for _ in events:
                pass

    watching = asyncio.create_task(watch())
    try:
        async with asyncio.timeout(60):
            await enough.wait()
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        await runner.cleanup()
    pauses = [later - earlier for earlier, later in pairwise(begun[:5])]
    for number, pause in enumerate(pauses):
        assert pause >= 0.8 * FIRST_PAUSE * 2**number
