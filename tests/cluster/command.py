"""The command line `scripts/test-cluster`."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.cluster import lifecycle
from tests.cluster.build import build
from tests.cluster.errors import ClusterError
from tests.cluster.programs import PROGRAMS, locate, version
from tests.cluster.readiness import dead_components
from tests.cluster.record import Folder, Record, all_records

DEFAULT_NAME = "default"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ClusterError as error:
        print(f"test-cluster: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("test-cluster: interrupted", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="test-cluster", description="A real Kubernetes on loopback for the tests.")
    commands = parser.add_subparsers(required=True, metavar="build|up|down|status|kubeconfig")

    command = commands.add_parser("build", help="build the programs that are not in the cache yet")
    command.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"default: all of {', '.join(PROGRAMS)}")
    command.set_defaults(run=_build)

    command = commands.add_parser("up", help="start a cluster, or repair it")
    command.add_argument("--name", default=DEFAULT_NAME)
    nodes = "simulated nodes, 1,100 pods each (default: %(default)s)"
    command.add_argument("--nodes", type=int, default=lifecycle.DEFAULT_NODES, help=nodes)
    command.add_argument("--fsync", action="store_true", help="let etcd wait for the disk (for benchmarks)")
    command.set_defaults(run=_up)

    command = commands.add_parser("down", help="stop a cluster and delete its files")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--name", default=DEFAULT_NAME)
    which.add_argument("--all", action="store_true", help="all clusters of this user")
    command.set_defaults(run=_down)

    command = commands.add_parser("status", help="what is built and what runs")
    command.set_defaults(run=_status)

    command = commands.add_parser("kubeconfig", help="print the path of a cluster's kubeconfig")
    command.add_argument("--name", default=DEFAULT_NAME)
    command.set_defaults(run=_kubeconfig)
    return parser


def _build(options: argparse.Namespace) -> int:
    if unknown := set(options.programs) - set(PROGRAMS):
        raise ClusterError(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(PROGRAMS)}")
    print(build(options.programs or PROGRAMS, report=lambda line: print(line, file=sys.stderr, flush=True)))
    return 0


def _up(options: argparse.Namespace) -> int:
    for name in lifecycle.sweep():
        print(f"cluster {name}: removed, as the process that owned it has ended")
    started = time.monotonic()
    record = lifecycle.up(options.name, nodes=options.nodes, fsync=options.fsync)
    seconds = time.monotonic() - started
    print(f"cluster {record.name}: Kubernetes {lifecycle.version_of(record)} is ready ({seconds:.1f} s)")
    print(f"export KUBECONFIG={Folder.of(record.name).kubeconfig}")
    return 0


def _down(options: argparse.Namespace) -> int:
    names = [record.name for record in all_records()] if options.all else [options.name]
    for name in names:
        print(f"cluster {name}: {'removed' if lifecycle.down(name) else 'there is none'}")
    return 0


def _status(_options: argparse.Namespace) -> int:
    for name in PROGRAMS:
        print(f"{name:24} {version(name):10} {_where(name)}")
    for record in all_records():
        print(f"cluster {record.name}: {_describe(record)}")
    return 0


def _kubeconfig(options: argparse.Namespace) -> int:
    if not Folder.of(options.name).kubeconfig.exists():
        raise ClusterError(f"There is no cluster {options.name}. Run: scripts/test-cluster up --name {options.name}")
    print(Folder.of(options.name).kubeconfig)
    return 0


def _where(name: str) -> str:
    try:
        return str(locate(name))
    except ClusterError:
        return "not built"


def _describe(record: Record) -> str:
    if not lifecycle.is_running(record):
        dead = ", ".join(dead_components(record)) or "it was never fully started"
        return f"broken ({dead}); scripts/test-cluster up --name {record.name} repairs it"
    owner = f", owned by process {record.owner.pid}" if record.owner else ""
    server = f"https://127.0.0.1:{record.ports['kube-apiserver']}"
    return f"Kubernetes {lifecycle.version_of(record)} at {server}, {record.nodes} simulated nodes{owner}"
