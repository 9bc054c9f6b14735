"""The servers that are compared: ours (PostgreSQL with fsync, NATS, n API processes) and kube-apiserver with etcd."""

from __future__ import annotations

import base64
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.bench.connection import Target
from tests.fixtures.api import CONTROLLERS, Api, new_api, settings_of
from threeport.bootstrap.local.identities import prepare_identities
from threeport.bootstrap.local.nats import NatsServer
from threeport.bootstrap.local.postgres import PostgresServer, new_password

ROOT = Path(__file__).parents[2]
TEST_CLUSTER = ROOT / "scripts" / "test-cluster"


@contextmanager
def threeport(processes: int) -> Iterator[list[Api]]:
    """Our API in `processes` processes, on a database that is as durable as in production."""
    with tempfile.TemporaryDirectory(prefix="threeport-bench-") as name:
        directory = Path(name)
        postgres = PostgresServer(directory / "postgres", password=new_password(), durable=True)
        nats = NatsServer(directory / "nats", file_store=1 << 40)
        files = prepare_identities(directory / "identities", controllers=CONTROLLERS)
        started = [postgres, nats]
        try:
            postgres.start()
            nats.start()
            settings = settings_of(postgres.dsn, nats.url, files)
            apis = [new_api(settings, files, directory / f"api-{number}") for number in range(processes)]
            for api in apis:
                api.process.start()
                started.append(api.process)
            yield apis
        finally:
            for server in reversed(started):
                server.stop()


def target_of(apis: list[Api]) -> Target:
    """Our processes as a target, called by the administrator."""
    tls = apis[0].tls(apis[0].files.admin)
    return Target("threeport", tuple(api.url for api in apis), tls)


@contextmanager
def kubernetes() -> Iterator[tuple[Target, Path]]:
    """A kube-apiserver with etcd and fsync that knows our kinds, called by its administrator; and its kubeconfig."""
    name = "bench"
    subprocess.run([TEST_CLUSTER, "up", "--name", name, "--fsync"], check=True)
    try:
        found = subprocess.run(
            [TEST_CLUSTER, "kubeconfig", "--name", name], check=True, capture_output=True, text=True
        ).stdout.strip()
        subprocess.run(["kubectl", "--kubeconfig", found, "apply", "-f", ROOT / "crds"], check=True)
        yield _target_of_kubeconfig(Path(found)), Path(found)
    finally:
        subprocess.run([TEST_CLUSTER, "down", "--name", name], check=True)


def _target_of_kubeconfig(path: Path) -> Target:
    config = yaml.safe_load(path.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    with tempfile.TemporaryDirectory() as name:
        pem = Path(name) / "client.pem"
        parts = [_pem(user, "client-certificate"), _pem(user, "client-key")]
        pem.write_bytes(b"".join(parts))
        tls = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority").decode())
        tls.load_cert_chain(pem)
    return Target("kube-apiserver", (cluster["server"],), tls)


def _pem(part: dict[str, str], name: str) -> bytes:
    """A PEM given in the kubeconfig itself, or by its path."""
    data = part.get(f"{name}-data")
    return base64.b64decode(data) if data else Path(part[name]).read_bytes()
