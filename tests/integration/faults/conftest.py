"""Where faults happen: a whole control plane, on a simulated cluster and on a real one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.cluster.provision import Cluster as Kubernetes
from tests.fixtures.control_plane import WholeControlPlane
from tests.fixtures.link import Link, link_to
from tests.integration.faults.team import NAMESPACE, RUNTIME, WORKLOAD, Team
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.runtime_access import access_of

REAL = pytest.param("real", marks=pytest.mark.cluster)


@dataclass(frozen=True)
class Site:
    """A runtime that tests share, and the administrator's access to its cluster."""

    runtime: str
    access: ClusterAccess
    kubernetes: Kubernetes | None
    """The real cluster; None for a simulated one."""


@pytest.fixture(scope="session")
def real_kubernetes(cluster: Kubernetes, whole: WholeControlPlane) -> Kubernetes:
    """The test cluster, made known to the control plane as ``real``."""
    whole.tptctl.ok("runtime", "add", "real", "--kubeconfig", str(cluster.kubeconfig))
    return cluster


@pytest.fixture(params=["simulated", REAL])
def kubernetes(request: pytest.FixtureRequest) -> Kubernetes | None:
    """First None, for a simulated cluster, then the real one."""
    return None if request.param == "simulated" else request.getfixturevalue("real_kubernetes")


@pytest.fixture
async def site(kubernetes: Kubernetes | None, whole: WholeControlPlane) -> Site:
    """A Ready runtime: first a simulated one, then the one on a real cluster."""
    name = "local" if kubernetes is None else "real"
    access = access_of(await whole.client.get(RUNTIME, name, reveal=True))
    assert access is not None
    return Site(name, access, kubernetes)


@pytest.fixture
async def team(whole: WholeControlPlane, site: Site) -> AsyncIterator[Team]:
    """A namespace for one test on the runtime of `site`; emptied afterwards."""
    cluster = Cluster(site.access)
    made = Team(whole.client, f"team-{uuid.uuid4().hex[:6]}", site.runtime, cluster)
    await whole.client.create({"metadata": {"name": made.namespace}}, NAMESPACE)
    yield made
    for found in (await whole.client.list(WORKLOAD, made.namespace)).items:
        if not found["metadata"].get("deletionTimestamp"):
            await made.delete(found["metadata"]["name"])
        await made.gone(found["metadata"]["name"])
    await cluster.close()


@pytest.fixture
def link(site: Site) -> Iterator[Link]:
    """A link to the cluster of `site` that a test may break."""
    address = urlsplit(site.access.endpoint)
    with link_to(str(address.hostname), address.port or 443) as made:
        yield made


def kubeconfig_through(link: Link, access: ClusterAccess, directory: Path) -> Path:
    """A kubeconfig that reaches a cluster by way of a link."""
    path = urlsplit(access.endpoint).path
    user = {"token": access.token} if access.token else {
        "client-certificate": _file(directory / "tls.crt", access.client_certificate),
        "client-key": _file(directory / "tls.key", access.client_key),
    }  # fmt: skip
    authority = _file(directory / "ca.crt", access.certificate_authority)
    cluster = {"server": f"https://127.0.0.1:{link.port}{path}", "certificate-authority": authority}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "linked",
        "clusters": [{"name": "linked", "cluster": cluster}],
        "users": [{"name": "linked", "user": user}],
        "contexts": [{"name": "linked", "context": {"cluster": "linked", "user": "linked"}}],
    }
    written = directory / "kubeconfig"
    written.write_text(yaml.safe_dump(content))
    return written


def _file(path: Path, text: str | None) -> str:
    path.write_text(text or "")
    return str(path)
