"""`tptctl` as a user runs it: a program, in a home directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import provision
from tests.fixtures.ports import choose_ports
from threeport.bootstrap.kubeconfig import cluster_access
from threeport.bootstrap.local.installation import Installation
from threeport.bootstrap.local.process_ids import ProcessId
from threeport.bootstrap.local.state import SupervisorState, read_state
from threeport.kube.access import ClusterAccess

REPOSITORY = Path(__file__).parents[2]
SAMPLES = REPOSITORY / "samples"

TPTCTL = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from threeport.cli.main import main
main()
"""
"""As from a terminal: Ctrl-C ends it. Tests that a script runs in the background (`&`) inherit that it is ignored."""


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Tptctl:
    """Runs `tptctl` with one THREEPORT_HOME."""

    home: Path
    usual_ports: bool = False
    """Whether new control planes get the ports that a user's get; else ports that no other test can have."""

    def __call__(self, *arguments: str, stdin: str = "", seconds: float = 200) -> Answer:
        """Runs a command to its end; never raises for its exit code."""
        process = self.start(*arguments)
        out, err = process.communicate(stdin, timeout=seconds)
        assert "Traceback" not in err
        return Answer(process.returncode, out, err)

    def ok(self, *arguments: str, stdin: str = "") -> str:
        """Runs a command that must succeed; returns what it prints on stdout."""
        answer = self(*arguments, stdin=stdin)
        assert answer.code == 0, f"tptctl {' '.join(arguments)}: {answer}"
        return answer.out

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command and does not wait."""
        if arguments[:1] == ("up",) and not self.usual_ports:
            self._choose_ports(arguments)
        return subprocess.Popen(
            [sys.executable, "-c", TPTCTL, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "THREEPORT_HOME": str(self.home), "COLUMNS": "200"},
        )

    def _choose_ports(self, up: tuple[str, ...]) -> None:
        name = up[up.index("--name") + 1] if "--name" in up else "default"
        installation = Installation.named(name, home=self.home)
        if not installation.exists:
            choose_ports(installation)

    def state(self, name: str = "default") -> SupervisorState:
        """What the supervisor of a control plane says now."""
        found = read_state(Installation.named(name, home=self.home))
        assert found is not None
        return found

    def process(self, component: str, name: str = "default") -> ProcessId:
        """The process that runs a component now."""
        process = next(each.process for each in self.state(name).processes if each.name == component)
        assert process is not None
        return process

    def pid(self, component: str, name: str = "default") -> int:
        """Its number."""
        return self.process(component, name).pid

    def object(self, kind: str, name: str, *options: str) -> dict[str, object]:
        """An object as JSON."""
        found: dict[str, object] = json.loads(self.ok("get", kind, name, "-o", "json", *options))
        return found


@pytest.fixture
def tptctl(tmp_path: Path) -> Iterator[Tptctl]:
    """A home without any control plane; those that the test makes are removed afterwards."""
    command = Tptctl(tmp_path / "home")
    yield command
    remove_all(command)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tptctl]:
    """A control plane that runs, with a simulated runtime; tests keep apart by names."""
    command = Tptctl(tmp_path_factory.mktemp("shared") / "home")
    try:
        command.ok("up")
        yield command
    finally:
        remove_all(command)


@dataclass(frozen=True)
class Place:
    """A control plane, and the access to the cluster of its default runtime."""

    tptctl: Tptctl
    access: ClusterAccess


@pytest.fixture(scope="session")
def on_real_cluster(cluster: provision.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A control plane whose default runtime is the real cluster from the first moment."""
    command = Tptctl(tmp_path_factory.mktemp("real") / "home")
    found = cluster_access(cluster.kubeconfig)
    access = ClusterAccess(
        endpoint=found.endpoint,
        certificate_authority=found.certificate_authority,
        token=found.token,
        client_certificate=found.client_certificate,
        client_key=found.client_key,
        tls_server_name=found.tls_server_name,
    )
    try:
        command.ok("up", "--kubeconfig", str(cluster.kubeconfig))
        yield Place(command, access)
    finally:
        remove_all(command)


@pytest.fixture(scope="session")
def on_simulated_cluster(shared: Tptctl) -> Place:
    """A control plane whose default runtime is simulated."""
    directory = shared.home / "default"
    runtime = shared.object("runtime", "local")
    endpoint = runtime["status"]["endpoint"]  # type: ignore[index]
    authority = (directory / "identities" / "ca.crt").read_text()
    token = (directory / "simulated.token").read_text().strip()
    return Place(shared, ClusterAccess(endpoint=endpoint, certificate_authority=authority, token=token))


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.cluster)])
def place(request: pytest.FixtureRequest) -> Place:
    """Where the test runs: once on each of both."""
    made: Place = request.getfixturevalue(f"on_{request.param}_cluster")
    return made


def remove_all(command: Tptctl) -> None:
    """Removes all control planes of this home."""
    for directory in sorted(command.home.glob("*/")):
        command("down", "--name", directory.name, "--delete-data")


Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def eventually() -> Eventually:
    """Waits until a condition holds, for 60 s at most."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true within 60 s"
            time.sleep(0.1)

    return wait
