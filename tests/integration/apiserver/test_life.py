"""How the process starts, stops, and goes on when the database, the broker or the load say otherwise."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import psycopg

from tests.fixtures.api import Api, ApiProcesses, new_api, settings_of
from tests.fixtures.ports import free_port
from tests.integration.apiserver.http import GROUP, Http
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.bootstrap.local.nats import NatsServer
from threeport.bootstrap.local.postgres import PostgresServer, new_password
from threeport.bootstrap.local.processes import LOOPBACK

WORKLOADS = f"{GROUP}/namespaces/default/workloads"


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """Waits for a condition; fails when it does not come true in time."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def state_of(caller: Http) -> tuple[int, dict[str, str]]:
    """The code of ``/readyz`` and the state of each check."""
    answer = await caller.get("/readyz?verbose")
    return answer.code, {name: check["status"] for name, check in answer.json["checks"].items()}


async def test_readiness_lists_each_check(admin: Http) -> None:
    async def all_ok() -> bool:
        return await state_of(admin) == (
            200,
            dict.fromkeys(("process", "database", "watch-hub", "broker", "relay"), "ok"),
        )

    await until(all_ok)


async def test_it_starts_and_serves_watches_while_nats_is_away_and_uses_it_when_it_comes(
    postgres_dsn: str, identity_files: IdentityFiles, tmp_path: Path, workload: dict[str, Any], name: str
) -> None:
    nats = NatsServer(tmp_path / "nats", port=free_port())
    api = new_api(settings_of(postgres_dsn, nats.url, identity_files), identity_files, tmp_path / "api")
    api.process.start()
    admin = Http.of(api.admin)
    try:
        async with admin.session:
            code, states = await state_of(admin)
            assert code == 200
            assert states["broker"] == "degraded"
            watch = asyncio.create_task(admin.get(f"{WORKLOADS}?watch=true&timeoutSeconds=5"))
            assert (await admin.post(WORKLOADS, workload)).code == 201
            assert name in (await watch).text
            nats.start()

            async def healthy() -> bool:
                return set((await state_of(admin))[1].values()) == {"ok"}

            await until(healthy, seconds=30)
    finally:
        api.process.stop()
        nats.stop()


async def test_it_waits_for_a_database_that_is_away_and_says_so(
    nats_url: str, identity_files: IdentityFiles, tmp_path: Path
) -> None:
    postgres = PostgresServer(tmp_path / "pg", password=new_password(), port=free_port(), durable=False)
    api = new_api(settings_of(postgres.dsn, nats_url, identity_files), identity_files, tmp_path / "api")
    starting = asyncio.create_task(asyncio.to_thread(api.process.start))
    try:

        async def says_so() -> bool:
            return api.log.exists() and b"waiting for the database" in api.log.read_bytes()

        await until(says_so)
        assert not starting.done()
        await asyncio.to_thread(postgres.start)
        await starting
        assert postgres.password.encode() not in api.log.read_bytes()
    finally:
        await asyncio.wait({starting})
        api.process.stop()
        postgres.stop()


async def test_without_its_database_it_is_alive_but_not_ready_and_comes_back_with_it(
    nats_url: str, identity_files: IdentityFiles, tmp_path: Path, workload: dict[str, Any]
) -> None:
    postgres = PostgresServer(tmp_path / "pg", password=new_password(), port=free_port())
    postgres.start()
    api = new_api(settings_of(postgres.dsn, nats_url, identity_files), identity_files, tmp_path / "api")
    api.process.start()
    admin = Http.of(api.admin)
    try:
        async with admin.session:
            await asyncio.to_thread(postgres.kill)
            code, states = await state_of(admin)
            assert (code, states["database"]) == (503, "failed")
            assert (await admin.get("/livez")).code == 200
            listed = await admin.get(WORKLOADS)
            assert listed.code == 429
            assert listed.headers["Retry-After"]
            assert (await admin.post(WORKLOADS, workload)).code == 503
            await asyncio.to_thread(postgres.start)

            async def ready() -> bool:
                return (await state_of(admin))[0] == 200

            await until(ready, seconds=30)
            assert (await admin.post(WORKLOADS, workload)).code == 201
    finally:
        api.process.stop()
        postgres.stop()


async def test_sigterm_ends_watches_in_order_and_the_process_with_zero(api_processes: ApiProcesses) -> None:
    (api,) = api_processes(1)
    pid = api.process.pid
    assert pid
    admin = Http.of(api.admin)
    async with admin.session:
        watch = asyncio.create_task(admin.get(f"{WORKLOADS}?watch=true&timeoutSeconds=60"))
        await asyncio.wait({watch}, timeout=0.5)
        os.kill(pid, signal.SIGTERM)
        assert (await watch).code == 200

        async def gone() -> bool:
            return api.process.pid is None

        await until(gone)
    lines = [orjson.loads(line) for line in api.log.read_bytes().splitlines()]
    assert "stopping" in [line["event"] for line in lines]
    assert not [line for line in lines if line["level"] in ("error", "critical")]


async def test_a_process_whose_number_another_has_taken_stops(api_processes: ApiProcesses, postgres_dsn: str) -> None:
    (api,) = api_processes(1)
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        query = f"UPDATE {api.schema}.leases SET holder = 'other', epoch = epoch + 1 WHERE name LIKE 'node/%%'"
        assert connection.execute(query.encode()).rowcount == 1

    async def gone() -> bool:
        return api.process.pid is None

    await until(gone)
    assert b"must start anew" in api.log.read_bytes()


async def test_two_processes_show_each_other_their_writes_at_once(
    api_processes: ApiProcesses, workload: dict[str, Any], name: str
) -> None:
    first, second = api_processes(2)
    one, two = Http.of(first.admin), Http.of(second.admin)
    async with one.session, two.session:
        watch = asyncio.create_task(two.get(f"{WORKLOADS}?watch=true&timeoutSeconds=2"))
        await asyncio.wait({watch}, timeout=0.5)
        assert (await one.post(WORKLOADS, workload)).code == 201
        assert (await two.get(f"{WORKLOADS}/{name}")).code == 200
        assert name in (await watch).text


async def test_overload_is_429_with_a_time_to_come_again(
    postgres_dsn: str, nats_url: str, identity_files: IdentityFiles, tmp_path: Path
) -> None:
    limits = {"THREEPORT_MAX_REQUESTS": "1", "THREEPORT_MAX_WATCHES": "1", "THREEPORT_MAX_CONNECTIONS": "4"}
    settings = {**settings_of(postgres_dsn, nats_url, identity_files), **limits}
    api = new_api(settings, identity_files, tmp_path / "api")
    api.process.start()
    admin = Http.of(api.admin)
    try:
        async with admin.session:
            watch = asyncio.create_task(admin.get(f"{WORKLOADS}?watch=true&timeoutSeconds=60"))
            await asyncio.wait({watch}, timeout=0.5)
            second = await admin.get(f"{WORKLOADS}?watch=true")
            assert second.code == 429
            assert second.headers["Retry-After"]
            slow = await open_connection(api)
            slow[1].write(post_of(WORKLOADS, length=100))
            done, _ = await asyncio.wait({asyncio.create_task(slow[0].read(1))}, timeout=0.5)
            assert not done
            refused = await admin.get(WORKLOADS)
            assert refused.code == 429
            assert refused.headers["Retry-After"]
            slow[1].close()

            async def free() -> bool:
                return (await admin.get(WORKLOADS)).code == 200

            await until(free)
            others = [await open_connection(api) for _ in range(4)]
            answer = await others[-1][0].read(100)
            assert b" 429 " in answer
            for _, writer in others:
                writer.close()
            watch.cancel()
    finally:
        api.process.stop()


async def test_a_client_that_never_finishes_its_headers_is_sent_away(api: Api) -> None:
    reader, writer = await open_connection(api)
    writer.write(b"GET /api HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    async with asyncio.timeout(25):
        assert b" 200 " not in await reader.read()
    writer.close()


async def test_a_body_over_the_limit_is_refused(admin: Http, workload: dict[str, Any]) -> None:
    workload["metadata"]["annotations"] = {"a": "x" * 3_500_000}
    body = io.BytesIO(orjson.dumps(workload))
    json_body = {"Content-Type": "application/json"}
    async with admin.session.post(admin.url + WORKLOADS, data=body, headers=json_body) as answer:
        assert answer.status == 413
        assert (await answer.json())["reason"] == "RequestEntityTooLarge"


async def test_requests_have_ids_that_stand_in_the_log_and_queries_do_not(admin: Http, api: Api, name: str) -> None:
    answer = await admin.get(f"{WORKLOADS}?labelSelector=c4n4ry", X_Request_Id=name)
    assert answer.headers["X-Request-Id"] == name
    for bad in ("", "a b", "x" * 65, "a;b"):
        assert (await admin.get("/api", X_Request_Id=bad)).headers["X-Request-Id"] != bad
    lines = [orjson.loads(line) for line in api.log.read_bytes().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == name and line["event"] == "request"]
    assert (line["code"], line["caller"], line["verb"]) == (200, "admin", "list")
    assert b"c4n4ry" not in api.log.read_bytes()


async def test_metrics_count_requests_and_events(admin: Http, workload: dict[str, Any]) -> None:
    await admin.post(WORKLOADS, workload)
    text = (await admin.get("/metrics")).text
    assert 'threeport_requests_total{code="201",resource="workloads.threeport.io",verb="create"}' in text
    assert 'threeport_events_total{source="stream"}' in text
    assert "threeport_database_connections" in text


def test_wrong_settings_are_told_by_name_and_the_exit_code_is_2(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "THREEPORT_LISTEN": "nonsense"}
    ended = subprocess.run(
        [sys.executable, "-m", "threeport.apiserver"],
        capture_output=True,
        cwd=tmp_path,
        env=environment,
        check=False,
        timeout=30,
    )
    named = {orjson.loads(line)["variable"] for line in ended.stderr.splitlines()}
    assert ended.returncode == 2
    assert {"THREEPORT_LISTEN", "THREEPORT_DATABASE_URL", "THREEPORT_TLS_CERT"} <= named


async def open_connection(api: Api) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare TLS connection of the administrator."""
    context: ssl.SSLContext = api.tls(api.files.admin)
    return await asyncio.open_connection(LOOPBACK, api.process.port, ssl=context)


def post_of(path: str, *, length: int) -> bytes:
    """The head of a POST whose body never comes."""
    lines = f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length}", "", ""
    return "\r\n".join(lines).encode()
