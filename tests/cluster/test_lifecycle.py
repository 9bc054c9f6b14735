"""Clusters of our own processes: they come up, recover, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import lifecycle
from tests.cluster.processes import Process, identify, is_alive, stop
from tests.cluster.programs import CONTROL_PLANE
from tests.cluster.provision import Cluster
from tests.cluster.record import Folder, Record, all_records, load
from tests.cluster.tiers import Tier

ROOT = Path(__file__).parents[2]
CONFIGMAP = "/api/v1/namespaces/default/configmaps/kept"


@pytest.fixture
def throwaway(cluster: Cluster) -> Iterator[Record]:
    """A running cluster that a test may damage."""
    if cluster.tier is not Tier.BINARIES:
        pytest.skip("only a cluster of our own processes may be damaged")
    name = f"throwaway-{os.getpid()}"
    yield lifecycle.up(name, owner=identify(os.getpid()))
    lifecycle.down(name)


@pytest.mark.parametrize("victims", [("etcd",), ("kube-apiserver",), CONTROL_PLANE], ids=["etcd", "apiserver", "all"])
def test_up_repairs_a_cluster_whose_processes_were_killed(throwaway: Record, victims: tuple[str, ...]) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}, "data": {"a": "b"}}
    lifecycle.api_of(throwaway).apply(CONFIGMAP, json.dumps(manifest))
    stop([throwaway.processes[victim] for victim in victims], grace=0)

    repaired = lifecycle.up(throwaway.name, owner=throwaway.owner)

    assert lifecycle.is_running(repaired)
    assert not any(is_alive(process) for process in throwaway.processes.values())
    assert repaired.ports == throwaway.ports, "kubeconfigs given out before must stay valid"
    assert lifecycle.api_of(repaired).get_json(CONFIGMAP)["data"] == {"a": "b"}


def test_up_leaves_a_running_cluster_alone(throwaway: Record) -> None:
    assert lifecycle.up(throwaway.name, owner=throwaway.owner).processes == throwaway.processes


def test_down_removes_everything(throwaway: Record) -> None:
    assert lifecycle.down(throwaway.name)

    assert not any(is_alive(process) for process in throwaway.processes.values())
    assert not Folder.of(throwaway.name).path.exists()
    assert load(throwaway.name) is None
    assert not lifecycle.down(throwaway.name)


ENDS = """
import os, signal
def test_end(cluster):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in jobs that a script runs in the background
    os.kill(os.getpid(), {end})
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [(signal.SIGINT, pytest.ExitCode.INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["interrupted", "killed"],
)
def test_a_run_that_ends_early_leaves_no_cluster(
    cluster: Cluster, tmp_path: Path, end: signal.Signals, code: int
) -> None:
    if cluster.tier is not Tier.BINARIES:
        pytest.skip("other tiers keep no record of clusters")
    (tmp_path / "test_end.py").write_text(ENDS.format(end=int(end)))
    command = [sys.executable, "-m", "pytest", "-p", "tests.cluster.fixtures", "--cluster=binaries", str(tmp_path)]
    run = subprocess.Popen([*command, f"--rootdir={tmp_path}"], cwd=ROOT, stdout=subprocess.DEVNULL)
    owner = identify(run.pid)
    assert run.wait() == code
    left = clusters_of(owner)

    assert len(left) == (1 if end == signal.SIGKILL else 0)
    assert {record.name for record in left} <= set(lifecycle.sweep())
    assert not clusters_of(owner)


def clusters_of(owner: Process | None) -> list[Record]:
    return [record for record in all_records() if record.owner == owner]
