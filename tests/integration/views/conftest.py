"""A control plane with a real cluster, one node of which answers for logs and ports."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.provision import Cluster
from tests.e2e.conftest import Answer
from tests.fixtures.control_plane import WholeControlPlane
from tests.integration.views.kubelet import NODE, Kubelet
from threeport.bootstrap.local.identities import IdentityFiles


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802 - a name of http.server
        body = f"you asked for {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def backend() -> Iterator[int]:
    """The port of a web server that stands for what a container would serve."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def kubelet(cluster: Cluster, identity_files: IdentityFiles, backend: int) -> Iterator[Kubelet]:
    """The node `views` of the cluster. Needs simulated pods, which run there as anywhere."""
    if cluster.runs_pods:
        pytest.skip("the pods of this cluster run on nodes of its own")
    made = Kubelet(identity_files.server, backend)
    made.start()
    made.register(cluster)
    yield made
    cluster.kubectl("delete", "node", NODE)
    made.stop()


@pytest.fixture(scope="session")
def real_runtime(whole: WholeControlPlane, cluster: Cluster) -> Iterator[str]:
    """The runtime on the real cluster."""
    whole.tptctl.ok("runtime", "add", "views", "--kubeconfig", str(cluster.kubeconfig))
    whole.tptctl.ok("wait", "runtime", "views", "--for", "condition=Ready", "--timeout", "60s")
    yield "views"
    # The namespaces of the tests are on their way out; until then, what runs there refers to the runtime.
    deadline = time.monotonic() + 90
    while whole.tptctl("delete", "runtime", "views", "--ignore-not-found").code and time.monotonic() < deadline:
        time.sleep(0.5)


@dataclass
class Team:
    """A namespace of the API, for one test."""

    whole: WholeControlPlane
    namespace: str
    directory: Path

    def __call__(self, *arguments: str) -> Answer:
        """Runs `tptctl` in the namespace."""
        return self.whole.tptctl(*arguments, "-n", self.namespace)

    def ok(self, *arguments: str) -> str:
        """As above; it has to succeed."""
        return self.whole.tptctl.ok(*arguments, "-n", self.namespace)

    def deploy(self, name: str, manifests: list[dict[str, Any]], *, runtime: str, ready: bool = True) -> None:
        """Applies a Workload, and waits until it is Ready."""
        workload = {
            "apiVersion": "threeport.io/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": name},
            "spec": {"manifests": manifests, "runtimeRef": {"name": runtime}},
        }
        file = self.directory / f"{name}.yaml"
        file.write_text(json.dumps(workload))
        self.ok("apply", "-f", str(file))
        if ready:
            self.ok("wait", "workload", name, "--for", "condition=Ready", "--timeout", "60s")

    def in_cluster(self, name: str) -> str:
        """The namespace in the cluster that an instance has got."""
        return str(json.loads(self.ok("get", "workloadinstance", name, "-o", "json"))["status"]["namespace"])

    def uid(self, name: str) -> str:
        """The uid of an instance."""
        return str(json.loads(self.ok("get", "workloadinstance", name, "-o", "json"))["metadata"]["uid"])


@pytest.fixture
def team(whole: WholeControlPlane, tmp_path: Path) -> Iterator[Team]:
    """A namespace of the test's own; emptied afterwards."""
    made = Team(whole, f"team-{uuid.uuid4().hex[:8]}", tmp_path)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.namespace}}
    whole.tptctl.ok("apply", "-f", "-", stdin=json.dumps(namespace))
    yield made
    whole.tptctl("delete", "namespace", made.namespace, "--no-wait")


def pods_of(cluster: Cluster, namespace: str) -> list[str]:
    """The names of the pods in a namespace of the cluster."""
    return sorted(
        name.partition("/")[2] for name in cluster.kubectl("get", "pods", "-n", namespace, "-o", "name").split()
    )
