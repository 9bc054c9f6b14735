"""The guide to operations, followed word by word: its files are written, its commands are run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY, Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload
from tests.fixtures.ports import free_port
from threeport.bootstrap.local.nats import NatsServer
from threeport.bootstrap.local.postgres import PostgresServer

pytestmark = pytest.mark.slow

GUIDE = REPOSITORY / "docs" / "guides" / "operations.md"
FENCE = re.compile(r"^```(?P<language>\w+) (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(name: str) -> str:
    """The commands of that name in the guide, in their order."""
    return "".join(block["text"] for block in FENCE.finditer(GUIDE.read_text()) if block["name"] == name)


def run(script: str, directory: Path, home: Path, **environment: str) -> str:
    """Runs commands, each of which must succeed; returns what they print."""
    answer = subprocess.run(
        ["bash", "-euc", script],
        cwd=directory,
        env={
            **os.environ,
            "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
            "THREEPORT_HOME": str(home),
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
        check=False,
    )
    assert answer.returncode == 0, f"{script}\n{answer.stdout}"
    return answer.stdout


def test_a_control_plane_is_restored_from_its_backup(tptctl: Tptctl, tmp_path: Path) -> None:
    tptctl.ok("up")
    tptctl.ok("apply", "-f", "-", stdin=workload("kept", CONFIG_MAP % ("a", "x")))
    tptctl.ok("wait", "workload/kept", "--timeout", "60s")
    run(commands("backup-local"), tmp_path, tptctl.home)
    tptctl.ok("apply", "-f", "-", stdin=workload("later", CONFIG_MAP % ("a", "x")))
    run(commands("restore-local"), tmp_path, tptctl.home)
    assert tptctl.ok("get", "workloads", "-o", "name").split() == ["workload/kept"]
    tptctl.ok("wait", "workload/kept", "--timeout", "60s")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A PostgreSQL and a NATS that Threeport did not start, as the environment that names them."""
    database = PostgresServer(tmp_path / "postgres", password="word", durable=False)
    broker = NatsServer(tmp_path / "nats")
    try:
        database.start()
        broker.start()
        yield {"THREEPORT_DATABASE_URL": database.dsn, "THREEPORT_NATS_URL": broker.url}
    finally:
        broker.stop()
        database.stop()


def test_the_parts_run_by_hand(servers: dict[str, str], tmp_path: Path) -> None:
    for block in FENCE.finditer(GUIDE.read_text()):
        if block["language"] == "bash":
            (tmp_path / block["name"]).write_text(block["text"])
    script = commands("by-hand") + "jobs -p >processes\n"
    try:
        run(script, tmp_path, tmp_path / "home", THREEPORT_LISTEN=f"127.0.0.1:{free_port()}", **servers)
        tptctl = Tptctl(tmp_path / "home")
        assert "own (own)" in tptctl.ok("status")
        tptctl.ok("apply", "-f", "-", stdin=workload("shop", CONFIG_MAP % ("a", "x")))
        waited = tptctl("wait", "workload/shop", "--timeout", "5s")
        assert "runtime" in waited.err, "a controller says what is missing"
    finally:
        for process in (tmp_path / "processes").read_text().split():
            os.kill(int(process), signal.SIGTERM)
