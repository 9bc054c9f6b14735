"""PostgreSQL and nats-server as child processes."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import nats
import psycopg
import pytest

from threeport.bootstrap.local import postgres as postgres_module
from threeport.bootstrap.local.nats import NatsServer, NatsUser
from threeport.bootstrap.local.postgres import PostgresServer, new_password
from threeport.bootstrap.local.processes import ServerFailed, free_port, is_free


def count(server: PostgresServer) -> int:
    with psycopg.connect(server.dsn) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row is not None
        return int(row[0])


def test_postgres_keeps_its_data_over_a_stop_and_a_kill(tmp_path: Path) -> None:
    password = new_password()
    server = PostgresServer(tmp_path / "postgres", password=password)
    server.start()
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE kept (id INT)")
        connection.execute("INSERT INTO kept VALUES (1)")
    server.kill()
    server.start()
    assert count(server) == 1
    server.stop()
    again = PostgresServer(tmp_path / "postgres", password=password)
    again.start()
    assert count(again) == 1
    again.stop()
    assert is_free(again.port)


def test_postgres_refuses_a_wrong_password(postgres_server: PostgresServer) -> None:
    wrong = postgres_server.dsn.replace(postgres_server.password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


@pytest.mark.parametrize("place", ["Jörg's files", '日本 "quoted" ☕', "back\\slash"])
def test_servers_run_below_a_directory_of_any_name(tmp_path: Path, place: str) -> None:
    nats_server = NatsServer(tmp_path / place / "nats")
    nats_server.start()
    assert nats_server.ready()
    nats_server.stop()
    assert (tmp_path / place / "nats" / "store").is_dir()
    database = PostgresServer(tmp_path / place / "postgres", password="word", durable=False)
    database.start()
    assert database.ready()
    database.stop()


def test_a_server_left_running_by_a_killed_program_is_ended_first(tmp_path: Path) -> None:
    left = PostgresServer(tmp_path / "postgres", password="word", durable=False)
    left.start()
    next_one = PostgresServer(tmp_path / "postgres", password="word", durable=False)
    next_one.start()
    assert left.pid is None
    assert next_one.ready()
    next_one.stop()


def test_a_process_that_is_not_ours_survives_a_stale_pid_file(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres", password="word", durable=False)
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    server.start()
    server.stop()


def test_where_namespaces_are_forbidden_root_runs_postgres_as_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root needs another user")
    if any(not parent.stat().st_mode & 0o001 for parent in postgres_module.binaries().parents):
        pytest.skip("nobody cannot read the binaries here")
    monkeypatch.setattr(postgres_module, "_namespaces_allowed", lambda: False)
    monkeypatch.setattr(postgres_module, "DATA_OF_NOBODY", Path("/var/tmp") / f"threeport-test-{os.getpid()}")
    server = PostgresServer(tmp_path / "postgres", password="word", durable=False)
    try:
        server.start()
        assert server.ready()
    finally:
        server.stop()
        postgres_module.shutil.rmtree(postgres_module.DATA_OF_NOBODY, ignore_errors=True)


def test_data_of_another_major_version_is_refused_in_words(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres", password="word", durable=False)
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerFailed, match="was made by PostgreSQL 9"):
        server.start()


def test_a_server_that_cannot_start_says_why(tmp_path: Path, nats_server: NatsServer) -> None:
    server = NatsServer(tmp_path / "nats", port=nats_server.port)
    server.start_seconds = 5
    with pytest.raises(ServerFailed, match="nats-server did not start"):
        server.start()


def test_a_preferred_port_is_given_only_when_it_is_free(nats_server: NatsServer) -> None:
    assert free_port(nats_server.port) != nats_server.port
    free = free_port()
    assert free_port(free) == free


async def test_nats_keeps_acknowledged_messages_over_a_kill(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats")
    await asyncio.to_thread(server.start)
    connection = await nats.connect(server.url)
    await connection.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
    await connection.jetstream().publish("kept.one", b"1")
    await connection.close()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await asyncio.to_thread(server.start)
    connection = await nats.connect(server.url)
    info = await connection.jetstream().stream_info("KEPT")
    assert info.state.messages == 1
    await connection.close()
    await asyncio.to_thread(server.stop)


async def test_nats_lets_each_user_do_only_what_is_theirs(tmp_path: Path) -> None:
    users = [NatsUser("api", "secret"), NatsUser("reader", "other", subscribe=(">",))]
    server = NatsServer(tmp_path / "nats", users=users)
    await asyncio.to_thread(server.start)
    try:
        with pytest.raises(nats.errors.Error):
            await nats.connect(server.url, allow_reconnect=False, error_cb=_ignore)
        refused = asyncio.Event()

        async def note(error: Exception) -> None:
            if "permissions violation" in str(error).lower():
                refused.set()

        reader = await nats.connect(server.url, user="reader", password="other", error_cb=note)
        await reader.publish("threeport.forged", b"")
        await asyncio.wait_for(refused.wait(), 5)
        await reader.close()
    finally:
        await asyncio.to_thread(server.stop)


async def _ignore(_error: Exception) -> None:
    pass
