"""Bring clusters up, take them down, and clean up after those who could not.

`up` is idempotent: it leaves a healthy cluster alone, and starts one anew of
which any process has died, on its old data, ports and certificates.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from tests.cluster import ports
from tests.cluster.api import AdministratorApi
from tests.cluster.certificates import make_certificates
from tests.cluster.components import PORTS, command
from tests.cluster.directories import exclusive, state_root
from tests.cluster.kubeconfig import write_kubeconfig
from tests.cluster.processes import Process, is_alive, spawn, stop
from tests.cluster.programs import CONTROL_PLANE, locate
from tests.cluster.readiness import can_run_pods, dead_components, is_api_ready, wait_for
from tests.cluster.record import Folder, Record, all_records, load

DEFAULT_NODES = 5
"""Room for 5,500 pods."""

STORAGE_CLASS = Path(__file__).parent / "manifests" / "storage-class.yaml"
KUBECONFIG_USERS = ("kube-controller-manager", "kube-scheduler", "kwok")
STOP_SECONDS = 5.0
"""Time for etcd to close its files; the others need less."""


def up(name: str, *, nodes: int = DEFAULT_NODES, fsync: bool = False, owner: Process | None = None) -> Record:
    """Start the cluster `name` unless it runs as wanted; returns when pods can be created.

    With an `owner` the cluster is removed by the next `sweep` after that process has ended.
    Raises ClusterError: what is missing, or what failed with the end of its log.
    """
    folder = Folder.of(name)
    programs = {program: str(locate(program)) for program in CONTROL_PLANE}
    with exclusive(folder.path):
        known = load(name) or Record(name)
        wanted = replace(known, programs=programs, nodes=max(nodes, known.nodes), fsync=fsync, owner=owner)
        if wanted == known and is_running(known):
            return _await_api(known)
        stop(known.processes.values(), grace=STOP_SECONDS)
        record = _claim_ports(replace(wanted, processes={}))
        _write_credentials(record, folder)
        return _start(record)


def down(name: str) -> bool:
    """Kill the processes of a cluster and delete all its files; False if there is no such cluster."""
    folder = Folder.of(name)
    if not folder.path.exists():
        return False
    with exclusive(folder.path):
        if record := load(name):
            stop(record.processes.values(), grace=0)
        shutil.rmtree(folder.path)
    return True


def sweep() -> list[str]:
    """Take down the clusters whose owner has ended without doing so; returns their names."""
    abandoned = [record.name for record in all_records() if record.owner and not is_alive(record.owner)]
    return [name for name in abandoned if down(name)]


def is_running(record: Record) -> bool:
    """Whether all processes of the cluster run."""
    return set(record.processes) == set(CONTROL_PLANE) and not dead_components(record)


def api_of(record: Record) -> AdministratorApi:
    """The API of a cluster."""
    return AdministratorApi(port=record.ports["kube-apiserver"], certificates=Folder.of(record.name).certificates)


def version_of(record: Record) -> str:
    """The version that the API server of a running cluster gives itself (`v1.36.3`)."""
    return str(api_of(record).get_json("/version")["gitVersion"])


def _claim_ports(record: Record) -> Record:
    """Keep the ports of an earlier start if possible; else promise others to this cluster."""
    with exclusive(state_root()):
        if not record.ports or not all(ports.is_free(port) for port in record.ports.values()):
            taken = {port for other in all_records() for port in other.ports.values()}
            record = replace(record, ports=ports.choose(PORTS, taken=taken))
        record.save()
    return record


def _write_credentials(record: Record, folder: Folder) -> None:
    # The key pair is made last: an interrupted run leaves it out, and all is made again.
    if not (folder.certificates / "service-account.pub").exists():
        make_certificates(folder.certificates)
    users = {"admin": folder.kubeconfig, **{user: folder.component_kubeconfig(user) for user in KUBECONFIG_USERS}}
    for user, path in users.items():
        port = record.ports["kube-apiserver"]
        write_kubeconfig(path, cluster=record.name, user=user, port=port, certificates=folder.certificates)


def _start(record: Record) -> Record:
    api = api_of(record)
    try:
        for component in ("etcd", "kube-apiserver"):
            record = _spawn(component, record)
        # The controllers give up when the API is not there within ten seconds, hence after it.
        _await_api(record)
        for component in ("kube-controller-manager", "kube-scheduler", "kwok"):
            record = _spawn(component, record)
        _create_objects(api, record.nodes)
        wait_for(lambda: can_run_pods(api, record.nodes), record=record, what="ready nodes")
    except BaseException:
        stop(record.processes.values(), grace=0)
        raise
    return record


def _await_api(record: Record) -> Record:
    api = api_of(record)
    wait_for(lambda: is_api_ready(api), record=record, what="ready API server")
    return record


def _spawn(component: str, record: Record) -> Record:
    process = spawn(command(component, record), Folder.of(record.name).log(component))
    record = record.with_process(component, process)
    record.save()
    return record


def _create_objects(api: AdministratorApi, nodes: int) -> None:
    api.apply("/apis/storage.k8s.io/v1/storageclasses/standard", STORAGE_CLASS.read_text())
    for number in range(nodes):
        name = f"node-{number}"
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        api.apply(f"/api/v1/nodes/{name}", json.dumps(node))
