"""The command line `scripts/test-kind`."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tests.cluster.errors import ClusterError
from tests.cluster.tiers import KUBECONFIG_VARIABLE
from tests.kind import daemon, programs
from tests.kind.node import image_name, write_node_image

NAME = "threeport-test"
CONFIGURATION = Path(__file__).parent / "kind.yaml"
ROOT = Path(__file__).resolve().parents[2]
WAIT = "180s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.run not in (_test, _agent):
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return int(options.run(rest))
    except ClusterError as error:
        print(f"test-kind: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("test-kind: interrupted", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="test-kind", description="A kind cluster whose pods really run, for the tests."
    )
    commands = parser.add_subparsers(required=True, metavar="build|up|status|kubeconfig|test|agent|down")
    for name, run, text in (
        ("build", _build, "make the node image, if it is not in the cache"),
        ("up", _up, "start dockerd if none answers, and a cluster"),
        ("status", _status, "what runs"),
        ("kubeconfig", _kubeconfig, "print the path of the cluster's kubeconfig"),
        ("test", _test, "run the tests that take a cluster on it; arguments go to pytest"),
        ("agent", _agent, "run the agent as a pod; arguments go to pytest"),
        ("down", _down, "stop all of it, and delete it"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)
    return parser


def _build(_rest: Sequence[str]) -> int:
    programs.build(report=_report)
    print(write_node_image(report=_report))
    return 0


def _up(rest: Sequence[str]) -> int:
    if NAME in _clusters():
        return _kubeconfig(rest)
    _build(rest)
    started = time.monotonic()
    daemon.start()
    _report(f"docker answers ({time.monotonic() - started:.1f} s)")
    if not daemon.docker("image", "ls", "--quiet", image_name()).strip():
        daemon.docker("load", "--input", str(write_node_image(report=_report)))
        _report(f"the node image is loaded ({time.monotonic() - started:.1f} s)")
    _create()
    _report(f"the cluster is ready ({time.monotonic() - started:.1f} s)")
    return _kubeconfig(rest)


def _create() -> None:
    where = ["--name", NAME, "--kubeconfig", str(_path())]
    what = ["--image", image_name(), "--config", str(CONFIGURATION), "--wait", WAIT, "--retain"]
    _path().parent.mkdir(parents=True, exist_ok=True)
    daemon.run([_kind(), "create", "cluster", *where, *what])


def _down(_rest: Sequence[str]) -> int:
    if daemon.is_broken():
        daemon.start()
    if NAME in _clusters():
        daemon.run([_kind(), "delete", "cluster", "--name", NAME])
        _path().unlink(missing_ok=True)
    daemon.stop()
    return 0


def _status(_rest: Sequence[str]) -> int:
    print("dockerd:", "started here" if daemon.is_ours() else "not started here")
    if NAME not in _clusters():
        print("cluster: none")
        return 0
    print("cluster:", _path())
    print(_kubectl("get", "nodes,pods", "--all-namespaces", "--output=wide"), end="")
    return 0


def _kubeconfig(_rest: Sequence[str]) -> int:
    _require_cluster()
    print(_path())
    return 0


def _agent(rest: Sequence[str]) -> NoReturn:
    program = str(ROOT / ".venv/bin/python")
    _require_cluster()
    os.chdir(ROOT)
    archive = daemon.run([program, "-m", "tests.kind.agent_image"])
    daemon.run([_kind(), "load", "image-archive", "--name", NAME, archive.strip()])
    _test(["-s", "tests/kind/agent_as_pod.py", *rest])


def _require_cluster() -> None:
    if not _path().exists():
        raise ClusterError("There is no cluster. Run: scripts/test-kind up")


def _test(rest: Sequence[str]) -> NoReturn:
    _require_cluster()
    program = str(ROOT / ".venv/bin/python")
    command = [program, "-m", "pytest", "-m", "cluster", "--cluster=kubeconfig", *rest]
    os.chdir(ROOT)
    os.execve(program, command, {**os.environ, KUBECONFIG_VARIABLE: str(_path())})


def _clusters() -> list[str]:
    try:
        return daemon.run([_kind(), "get", "clusters"]).split()
    except ClusterError:
        return []


def _kubectl(*arguments: str) -> str:
    return daemon.run([str(programs.locate("kubectl")), f"--kubeconfig={_path()}", *arguments])


def _kind() -> str:
    return str(programs.locate("kind"))


def _path() -> Path:
    return programs.state() / "kubeconfig"


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
