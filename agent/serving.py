"""What the agent serves: ``/metrics``, ``/healthz`` (it lives) and ``/readyz`` (it knows what has been told before).

Health does not depend on the Threeport API or the cluster: an agent that waits for either is not mended by a restart.
That there is an answer shows that the event loop runs, in which everything happens.
"""

from __future__ import annotations

from collections.abc import Callable

import prometheus_client
from aiohttp import web


async def serve(host: str | None, port: int, *, is_ready: Callable[[], bool]) -> web.AppRunner:
    """Listens until ``cleanup()`` of what is returned; `host` None means on all interfaces. Raises `OSError`."""

    async def metrics(_request: web.Request) -> web.Response:
        body = prometheus_client.generate_latest()
        return web.Response(body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        if is_ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the reports in the Threeport API have not been read yet\n")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner
