"""Get clusters of a tier for a run of tests, and give them back."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import lifecycle
from tests.cluster.errors import ClusterError, ClusterMissingError
from tests.cluster.processes import identify
from tests.cluster.programs import locate
from tests.cluster.record import Folder
from tests.cluster.tiers import KUBECONFIG_VARIABLE, Tier, kubeconfigs

KIND_WAIT = "120s"


@dataclass(frozen=True)
class Cluster:
    """A Kubernetes cluster that a test may use as its administrator."""

    name: str
    tier: Tier
    kubeconfig: Path
    version: str
    """What the API server calls itself: `v1.36.3`."""

    @property
    def runs_pods(self) -> bool:
        """Whether containers really run; simulated nodes only report that they do."""
        return self.tier is not Tier.BINARIES

    def kubectl(self, *arguments: str, manifest: str | None = None) -> str:
        """Run kubectl as administrator, `manifest` on its standard input; returns what it prints.

        Raises ClusterError with what kubectl says when it fails.
        """
        return _kubectl(self.kubeconfig, *arguments, manifest=manifest)


class Provider:
    """Hands out clusters of one tier, makes them when first asked for, and removes what it made."""

    def __init__(self, tier: Tier) -> None:
        """Make nothing yet."""
        self.tier = tier
        make = {Tier.KUBECONFIG: self._adopt, Tier.BINARIES: self._start, Tier.KIND: self._create_with_kind}
        self._make: Callable[[int], Cluster] = make[tier]
        self._clusters: list[Cluster] = []
        self._remove: list[Callable[[], object]] = []

    def clusters(self, count: int) -> list[Cluster]:
        """`count` clusters, always the same in the same order; raises ClusterError when it cannot."""
        if self.tier is Tier.KUBECONFIG and count > (given := len(kubeconfigs())):
            raise ClusterMissingError(f"{KUBECONFIG_VARIABLE} names {given} cluster(s); this test needs {count}.")
        while len(self._clusters) < count:
            self._clusters.append(self._make(len(self._clusters)))
        return self._clusters[:count]

    def close(self) -> None:
        """Remove the clusters that were made; a user's own clusters stay as they are."""
        while self._remove:
            self._remove.pop()()
        self._clusters.clear()

    def _adopt(self, number: int) -> Cluster:
        return _describe(f"user-{number}", self.tier, kubeconfigs()[number])

    def _start(self, number: int) -> Cluster:
        name = f"pytest-{os.getpid()}-{number}"
        self._remove.append(lambda: lifecycle.down(name))
        lifecycle.up(name, owner=identify(os.getpid()))
        return _describe(name, self.tier, Folder.of(name).kubeconfig)

    def _create_with_kind(self, number: int) -> Cluster:
        name = f"pytest-{os.getpid()}-{number}"
        folder = tempfile.TemporaryDirectory(prefix="threeport-kind-")
        kubeconfig = Path(folder.name) / "kubeconfig"
        self._remove.append(folder.cleanup)
        self._remove.append(lambda: _run([str(locate("kind")), "delete", "cluster", "--name", name]))
        destination = ["--name", name, "--kubeconfig", str(kubeconfig)]
        _run([str(locate("kind")), "create", "cluster", "--wait", KIND_WAIT, *destination])
        return _describe(name, self.tier, kubeconfig)


def _describe(name: str, tier: Tier, kubeconfig: Path) -> Cluster:
    answer = json.loads(_kubectl(kubeconfig, "get", "--raw", "/version"))
    return Cluster(name=name, tier=tier, kubeconfig=kubeconfig, version=answer["gitVersion"])


def _kubectl(kubeconfig: Path, *arguments: str, manifest: str | None = None) -> str:
    return _run([str(locate("kubectl")), f"--kubeconfig={kubeconfig}", *arguments], standard_input=manifest)


def _run(command: list[str], *, standard_input: str | None = None) -> str:
    answer = subprocess.run(command, input=standard_input, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command)} failed: {answer.stderr.strip()}")
    return answer.stdout
