"""The programs of a test cluster: what they are, their versions, where they lie."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from pathlib import Path
from typing import NamedTuple

from tests.cluster.directories import cache_root
from tests.cluster.errors import ProgramMissingError

GO_MODULE = Path(__file__).parent / "go"
BUILD_COMMAND = "scripts/test-cluster build"

COMMON_FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")
"""Flags of every `go build`: the same source gives the same file on any machine."""


class Program(NamedTuple):
    """A program: the module that pins its version, and the package to build."""

    module: str
    package: str


PROGRAMS = {
    "etcd": Program("go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": Program("k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": Program("k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": Program("k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kwok": Program("sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "kubectl": Program("k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    "helm": Program("helm.sh/helm/v3", "helm.sh/helm/v3/cmd/helm"),
    "kind": Program("sigs.k8s.io/kind", "sigs.k8s.io/kind"),
}

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
"""The programs that a running cluster consists of, in the order of their start."""


def version(name: str) -> str:
    """The pinned version of a program, as in `go.mod` (`v1.36.3`)."""
    module, go_mod = PROGRAMS[name].module, GO_MODULE / "go.mod"
    found = re.search(rf"^(?:require)?\s+{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
    if not found:
        raise ProgramMissingError(f"{go_mod} does not require {module}, of which {name} is built.")
    return found[1]


def cache_key() -> str:
    """Name of the cache folder: two checkouts share it only if they build the same files."""
    digest = hashlib.sha256(" ".join((*COMMON_FLAGS, linker_flags())).encode())
    for file in ("go.mod", "go.sum"):
        digest.update((GO_MODULE / file).read_bytes())
    system = f"{platform.system()}-{platform.machine()}".lower()
    return f"kubernetes-{version('kube-apiserver')}-{system}-{digest.hexdigest()[:12]}"


def linker_flags() -> str:
    """Strip the files, and say which Kubernetes this is.

    Kubernetes' own build writes the version into these two packages; without it
    a server calls itself v0.0.0-master, and clients that compare versions balk.
    """
    release = version("kube-apiserver")
    major, minor, _ = release.removeprefix("v").split(".", 2)
    values = {"gitVersion": release, "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamps = [f"-X {package}.{key}={value}" for package in packages for key, value in values.items()]
    return " ".join(["-s -w", *stamps])


def built_directory() -> Path:
    """Folder in which `scripts/test-cluster build` puts the programs of this checkout."""
    return cache_root() / cache_key()


def locate(name: str) -> Path:
    """Path of a program: `KUBEBUILDER_ASSETS` first, as for envtest, then the built one.

    Raises ProgramMissingError with the command that provides it.
    """
    folders = [built_directory()]
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        folders.insert(0, Path(assets).absolute())
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            return folder / name
    looked = " or ".join(str(folder) for folder in folders)
    raise ProgramMissingError(f"{name} {version(name)} is not in {looked}. Run: {BUILD_COMMAND}")
