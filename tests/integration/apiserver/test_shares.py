"""What one identity holds of an API process leaves the others their part."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.fixtures.api import Api, new_api, settings_of
from tests.integration.apiserver.http import GROUP, Http
from threeport.bootstrap.local.identities import IdentityFiles

WORKLOADS = f"{GROUP}/namespaces/default/workloads"
POST = f"POST {WORKLOADS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


async def enough(admin: Http, metric: str, count: int) -> None:
    """Waits until that many requests are under way."""
    async with asyncio.timeout(30):
        while f"\n{metric} {float(count)}\n" not in (await admin.get("/metrics")).text:
            await asyncio.sleep(0.05)


async def test_one_identity_cannot_use_up_the_watches_and_requests_of_others(
    postgres_dsn: str, nats_url: str, identity_files: IdentityFiles, tmp_path: Path
) -> None:
    limits = {"THREEPORT_MAX_REQUESTS": "8", "THREEPORT_MAX_WATCHES": "4"}
    settings = {**settings_of(postgres_dsn, nats_url, identity_files), **limits}
    api = new_api(settings, identity_files, tmp_path / "api")
    api.process.start()
    greedy, other = Http.of(api.controller("workload")), Http.of(api.admin)
    path = f"{GROUP}/workloads"
    try:
        async with greedy.session, other.session, AsyncExitStack() as held:
            for _ in range(2):
                answer = await greedy.session.get(f"{greedy.url}{path}?watch=true")
                held.callback(answer.close)
                assert answer.status == 200
            refused = await greedy.get(f"{path}?watch=true&timeoutSeconds=1")
            assert (refused.code, refused.headers["Retry-After"]) == (429, "1")
            assert "controller:workload has 2 watches" in refused.text
            assert (await other.get(f"{path}?watch=true&timeoutSeconds=1")).code == 200

            await hold_requests(api, held, 4)
            await enough(other, "threeport_requests_in_flight", 5)
            refused = await greedy.get(path)
            assert (refused.code, refused.headers["Retry-After"]) == (429, "1")
            assert "controller:workload has 4 requests" in refused.text
            assert (await other.get(path)).code == 200
            lease = await greedy.post("/controllers/workload/0-of-1/lease", {"holder": "pod-0", "epoch": None})
            assert lease.code == 200, "a controller that is busy keeps its lease"

            metrics = (await other.get("/metrics")).text
            for what in ("watches", "requests"):
                assert f'threeport_requests_refused_total{{limit="{what} of one identity"}} 1.0' in metrics
    finally:
        api.process.stop()


async def hold_requests(api: Api, held: AsyncExitStack, count: int) -> None:
    """Begins requests of the controller whose bodies never come."""
    tls = api.tls(api.files.controller("workload"))
    for _ in range(count):
        _, writer = await asyncio.open_connection("127.0.0.1", api.process.port, ssl=tls)
        held.callback(writer.close)
        writer.write(POST.encode())
        await writer.drain()
