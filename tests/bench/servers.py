"""The servers that are compared: ours (PostgreSQL with fsync, NATS, n API processes) and kube-apiserver with etcd."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.bench.client import Target
from tests.bench.usage import Part
from tests.cluster.record import load
from tests.fixtures.api import CONTROLLERS, Api, new_api, settings_of
from threeport.bootstrap.local.identities import prepare_identities
from threeport.bootstrap.local.nats import NatsServer
from threeport.bootstrap.local.postgres import PostgresServer, new_password
from threeport.bootstrap.local.processes import ServerProcess

ROOT = Path(__file__).parents[2]
TEST_CLUSTER = ROOT / "scripts" / "test-cluster"


class Threeport(NamedTuple):
    """Our API processes, and all of it as a target that is called by the administrator."""

    apis: list[Api]
    target: Target


@contextmanager
def installation(processes: int) -> Iterator[Threeport]:
    """Our API in `processes` processes, on a database that is as durable as in production."""
    with tempfile.TemporaryDirectory(prefix="threeport-bench-") as name:
        directory = Path(name)
        postgres = PostgresServer(directory / "postgres", password=new_password(), durable=True)
        nats = NatsServer(directory / "nats", file_store=1 << 40)
        files = prepare_identities(directory / "identities", controllers=CONTROLLERS)
        started: list[ServerProcess] = []
        try:
            postgres.start()
            started.append(postgres)
            nats.start()
            started.append(nats)
            settings = settings_of(postgres.dsn, nats.url, files)
            apis = [new_api(settings, files, directory / f"api-{number}") for number in range(processes)]
            for api in apis:
                api.process.start()
                started.append(api.process)
            parts = {
                "API": _part(*(api.process for api in apis)),
                "PostgreSQL": _part(postgres),
                "NATS": _part(nats),
            }
            yield Threeport(apis, _target_of(apis, parts))
        finally:
            for server in reversed(started):
                server.stop()


def _part(*servers: ServerProcess) -> Part:
    return Part([server.pid for server in servers if server.pid is not None])


def _target_of(apis: list[Api], parts: dict[str, Part]) -> Target:
    admin = apis[0].files.admin
    addresses = tuple(api.url.removeprefix("https://") for api in apis)
    return Target("threeport", addresses, apis[0].ca_file, admin.certificate, admin.key, parts)


@contextmanager
def kubernetes() -> Iterator[tuple[Target, Path]]:
    """A kube-apiserver with etcd and fsync that knows our kinds, called by its administrator; and its kubeconfig."""
    cluster = f"bench-{os.getpid()}"
    subprocess.run([TEST_CLUSTER, "up", "--name", cluster, "--fsync"], check=True)
    try:
        record = load(cluster)
        assert record
        found = subprocess.run(
            [TEST_CLUSTER, "kubeconfig", "--name", cluster], check=True, capture_output=True, text=True
        ).stdout.strip()
        subprocess.run(["kubectl", "--kubeconfig", found, "apply", "-f", ROOT / "crds"], check=True)
        # kwok only plays the nodes.
        parts = {name: Part([process.pid]) for name, process in record.processes.items() if name != "kwok"}
        with tempfile.TemporaryDirectory(prefix="threeport-bench-") as directory:
            yield _target_of_kubeconfig(Path(found), Path(directory), parts), Path(found)
    finally:
        subprocess.run([TEST_CLUSTER, "down", "--name", cluster], check=True)


def _target_of_kubeconfig(path: Path, directory: Path, parts: dict[str, Part]) -> Target:
    config = yaml.safe_load(path.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    files = {name: directory / name for name in ("ca", "certificate", "key")}
    files["ca"].write_bytes(_pem(cluster, "certificate-authority"))
    files["certificate"].write_bytes(_pem(user, "client-certificate"))
    files["key"].write_bytes(_pem(user, "client-key"))
    return Target("kube-apiserver", (cluster["server"].removeprefix("https://"),), **files, parts=parts)


def _pem(part: dict[str, str], name: str) -> bytes:
    """A PEM given in the kubeconfig itself, or by its path."""
    data = part.get(f"{name}-data")
    return base64.b64decode(data) if data else Path(part[name]).read_bytes()
