"""dockerd for as long as the cluster lives, where no docker answers already.

It gets a socket, a data folder and a bridge of its own, and leaves nothing behind: it would otherwise leave its bridge
and its rules for iptables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cluster import processes
from tests.cluster.errors import ClusterError, ProgramMissingError
from tests.cluster.processes import Process
from tests.kind.programs import state

NETWORK = "kind"
BRIDGE = "threeport-kind"
"""At most 15 characters, as for any network device."""

START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.1
RUNTIME = Path(__file__).parent / "node" / "runc"


def environment() -> dict[str, str]:
    """The environment in which docker and kind find the daemon."""
    return {**os.environ, "DOCKER_HOST": f"unix://{_socket()}"} if _record().exists() else dict(os.environ)


def docker(*arguments: str) -> str:
    """Run docker; returns what it prints. Raises ClusterError."""
    return run(["docker", *arguments])


def run(command: Sequence[str]) -> str:
    """Run a program that speaks to the daemon; returns what it prints. Raises ClusterError."""
    answer = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command[:4])} failed: {answer.stderr.strip()[-2000:]}")
    return answer.stdout


def start() -> None:
    """Start dockerd unless a docker answers. Raises ClusterError."""
    if _answers():
        return
    for program in ("dockerd", "docker", "jq", "iptables"):
        if not shutil.which(program):
            raise ProgramMissingError(
                f"{program} is missing. Run: apt-get install --no-install-recommends docker.io jq iptables"
            )
    folder = state()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    runtime = folder / "runc"
    shutil.copy(RUNTIME, runtime)
    runtime.chmod(0o755)
    process = processes.spawn(_command(folder, runtime), folder / "dockerd.log")
    forwarded = _read()["forwards"] if _record().exists() else _forwards()
    _record().write_text(json.dumps({"process": process, "forwards": forwarded}))
    deadline = time.monotonic() + START_SECONDS
    while not _answers():
        if time.monotonic() > deadline or not processes.is_alive(process):
            stop()
            raise ClusterError(f"dockerd does not start; the end of its log: {_end_of(folder / 'dockerd.log')}")
        time.sleep(POLL_SECONDS)
    _make_network()


def stop() -> None:
    """Stop the dockerd that was started, and delete all it had; nothing if it is not ours."""
    if not _record().exists():
        return
    processes.stop([_process()], grace=STOP_SECONDS)
    _remove_rules(forwards=_read()["forwards"])
    subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)
    _unmount()
    shutil.rmtree(state())


def is_ours() -> bool:
    """Whether a dockerd runs that `start` started."""
    return _record().exists() and processes.is_alive(_process())


def is_broken() -> bool:
    """Whether the dockerd that `start` started was killed: its containers run on, and another `start` adopts them."""
    return _record().exists() and not processes.is_alive(_process())


def _command(folder: Path, runtime: Path) -> list[str]:
    return [
        str(shutil.which("dockerd")),
        f"--host=unix://{_socket()}",
        f"--data-root={folder / 'data'}",
        f"--exec-root={folder / 'run'}",
        f"--pidfile={folder / 'dockerd.pid'}",
        "--bridge=none",
        "--dns=127.0.0.1",  # No one answers there: names of other machines are refused at once, not after a minute.
        f"--add-runtime=less={runtime}",
        "--default-runtime=less",
        "--oom-score-adjust=0",
    ]


def _make_network() -> None:
    """The network in which kind puts its nodes; from it nothing leaves this machine."""
    if NETWORK in docker("network", "ls", "--format={{.Name}}").split():
        return
    docker("network", "create", f"--opt=com.docker.network.bridge.name={BRIDGE}", NETWORK)
    _iptables("filter", "-I", "DOCKER-USER", "-i", BRIDGE, "!", "-o", BRIDGE, "-j", "REJECT")


def _forwards() -> bool:
    """Whether the machine forwarded packets by default before dockerd forbade it."""
    return "-P FORWARD ACCEPT" in _iptables("filter", "-S", "FORWARD")


def _remove_rules(*, forwards: bool) -> None:
    if forwards:
        _iptables("filter", "-P", "FORWARD", "ACCEPT")
    for table in ("filter", "nat"):
        rules = _iptables(table, "-S").splitlines()
        ours = [rule for rule in rules if rule.startswith("-A") and ("DOCKER" in rule or BRIDGE in rule)]
        for rule in ours:
            _iptables(table, "-D", *rule.split()[1:])
        for rule in rules:
            if rule.startswith("-N DOCKER"):
                _iptables(table, "-X", rule.split()[1])


def _unmount() -> None:
    """A dockerd that was killed leaves its file systems mounted."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in reversed([point for point in points if Path(point).is_relative_to(state())]):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def _iptables(table: str, *arguments: str) -> str:
    command = ["iptables", "--wait", "--table", table, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _answers() -> bool:
    try:
        answer = subprocess.run(["docker", "info"], env=environment(), capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _process() -> Process:
    return Process(*_read()["process"])


def _read() -> dict[str, Any]:
    return dict(json.loads(_record().read_text()))


def _socket() -> Path:
    return state() / "docker.sock"


def _record() -> Path:
    return state() / "dockerd.json"


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-8:]) if log.exists() else "(none)"
