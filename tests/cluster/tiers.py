"""Which Kubernetes the tests run on: three tiers, from the most to the least wanted.

A run never falls silently to nothing: without any tier the tests that need a
cluster fail in CI, and elsewhere are skipped with the command that provides one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.cluster.errors import ClusterError
from tests.cluster.programs import BUILD_COMMAND, CONTROL_PLANE, locate, version

KUBECONFIG_VARIABLE = "THREEPORT_TEST_KUBECONFIG"
DOCKER_SECONDS = 10


class Tier(StrEnum):
    """A way to come to a cluster."""

    KUBECONFIG = "kubeconfig"
    """Clusters of the user's: the files in THREEPORT_TEST_KUBECONFIG, separated as in PATH."""
    BINARIES = "binaries"
    """The real control plane on loopback, with simulated nodes."""
    KIND = "kind"
    """kind on docker, whose pods really run."""


class Choice(NamedTuple):
    """The tier of a run and what is to be said about it; or no tier, and how to get one."""

    tier: Tier | None
    description: str


def choose(requested: Tier | None) -> Choice:
    """The tier asked for; without a request the first that can be had.

    To name a kubeconfig is a request too: when the file is missing, another cluster is not what was meant.
    """
    if not requested and os.environ.get(KUBECONFIG_VARIABLE):
        requested = Tier.KUBECONFIG
    reasons = []
    for tier in [requested] if requested else [Tier.BINARIES, Tier.KIND]:
        try:
            return Choice(tier, _DESCRIBE[tier]())
        except ClusterError as reason:
            reasons.append(str(reason))
    return Choice(None, ", or for kind: ".join(reasons))


def kubeconfigs() -> list[Path]:
    """The user's kubeconfig files; raises ClusterError when there are none."""
    named = os.environ.get(KUBECONFIG_VARIABLE, "").split(os.pathsep)
    paths = [Path(part).expanduser().absolute() for part in named if part]
    if not paths:
        raise ClusterError(f"{KUBECONFIG_VARIABLE} does not name a kubeconfig file.")
    if missing := [str(path) for path in paths if not path.is_file()]:
        raise ClusterError(f"{KUBECONFIG_VARIABLE} names {', '.join(missing)}, which does not exist.")
    return paths


def _describe_kubeconfig() -> str:
    return f"clusters of {KUBECONFIG_VARIABLE}={os.pathsep.join(map(str, kubeconfigs()))}"


def _describe_binaries() -> str:
    programs = {name: locate(name) for name in CONTROL_PLANE}
    # The programs of KUBEBUILDER_ASSETS have whatever version they have: ask.
    release = subprocess.run([programs["kube-apiserver"], "--version"], capture_output=True, text=True, check=False)
    folders = sorted({str(path.parent) for path in programs.values()})
    return f"{release.stdout.strip()}, simulated nodes (programs in {', '.join(folders)})"


def _describe_kind() -> str:
    if not shutil.which("docker"):
        raise ClusterError("docker is not on PATH.")
    locate("kind")
    try:
        subprocess.run(["docker", "info"], capture_output=True, check=True, timeout=DOCKER_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        raise ClusterError(f"docker does not answer ({error}). Start dockerd, or run: {BUILD_COMMAND}") from error
    return f"kind {version('kind')} on docker"


_DESCRIBE = {Tier.KUBECONFIG: _describe_kubeconfig, Tier.BINARIES: _describe_binaries, Tier.KIND: _describe_kind}
