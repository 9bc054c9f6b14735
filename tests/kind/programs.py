"""The programs that a node has beside those of the control plane: built once, and kept outside the source tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.cluster import programs as cluster_programs
from tests.cluster.build import build as build_for_cluster
from tests.cluster.directories import cache_root, exclusive, state_root
from tests.cluster.errors import ClusterError, ProgramMissingError

GO_MODULE = Path(__file__).parent / "go"
NAME = "threeport-test-kind"

FROM_CLUSTER = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kind")
"""Programs that `scripts/test-cluster` builds, used as they are."""

PACKAGES = {
    "coredns": "github.com/coredns/coredns",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "kubeadm": "k8s.io/kubernetes/cmd/kubeadm",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
}
"""Programs built here, and the Go package of each."""

Report = Callable[[str], None]


def cache() -> Path:
    """Folder of what takes long to make; it may be deleted at any time."""
    return cache_root().with_name(NAME)


def state() -> Path:
    """Folder of what runs; `scripts/test-kind down` deletes it."""
    return state_root().with_name(NAME)


def kubernetes() -> str:
    """The version of Kubernetes, as `v1.36.3`."""
    return cluster_programs.version("kube-apiserver")


def locate(name: str) -> Path:
    """Path of a program. Raises ProgramMissingError when it is not built."""
    if name in FROM_CLUSTER:
        return cluster_programs.locate(name)
    path = _built() / name
    if not path.exists():
        raise ProgramMissingError(f"{name} is not in {path.parent}. Run: scripts/test-kind build")
    return path


def build(*, report: Report) -> None:
    """Build what is absent, with all else on the machine going first. Raises ClusterError."""
    os.nice(10)
    build_for_cluster(FROM_CLUSTER, report=report)
    with exclusive(_built()):
        for name, package in PACKAGES.items():
            if not (_built() / name).exists():
                report(f"building {name} ...")
                _build_program(name, package)


def _build_program(name: str, package: str) -> None:
    if not shutil.which("go"):
        raise ProgramMissingError("go is not on PATH. Install the version named in tests/kind/go/go.mod or newer.")
    unfinished = _built() / f".{name}.{os.getpid()}"
    flags = [*cluster_programs.COMMON_FLAGS, "-ldflags", cluster_programs.linker_flags()]
    try:
        subprocess.run(
            ["go", "build", *flags, "-o", str(unfinished), package],
            cwd=GO_MODULE,
            env={**os.environ, "CGO_ENABLED": "0"},
            check=True,
        )
        unfinished.replace(_built() / name)
    except subprocess.CalledProcessError as error:
        raise ClusterError(f"go could not build {name} (exit code {error.returncode}); its reason is above.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _built() -> Path:
    digest = hashlib.sha256(cluster_programs.linker_flags().encode())
    for file in ("go.mod", "go.sum"):
        digest.update((GO_MODULE / file).read_bytes())
    return cache() / f"programs-{kubernetes()}-{digest.hexdigest()[:12]}"
