"""People who may look and change nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload

pytestmark = pytest.mark.slow

Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def kubectl(shared: Tptctl, tmp_path: Path) -> Kubectl:
    """kubectl with the kubeconfig of a viewer."""
    kubeconfig = tmp_path / "viewer.kubeconfig"
    kubeconfig.write_text(shared.ok("config", "kubeconfig", "--viewer", "ann@example.org", "--days", "2"))

    def run(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = ["kubectl", "--kubeconfig", str(kubeconfig), "--cache-dir", str(tmp_path / "cache"), *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_a_viewer_sees_all_and_changes_nothing(shared: Tptctl, kubectl: Kubectl) -> None:
    shared.ok("apply", "-f", "-", stdin=workload("seen", CONFIG_MAP % ("a", "x")))
    assert "seen" in kubectl("get", "workloads").stdout
    assert "local" in kubectl("get", "runtimes").stdout
    assert "viewer:ann@example.org" in kubectl("auth", "whoami").stdout
    assert kubectl("auth", "can-i", "list", "workloads").stdout.strip() == "yes"
    assert kubectl("auth", "can-i", "delete", "workloads").stdout.startswith("no")
    for words in (("delete", "workload", "seen"), ("label", "workload", "seen", "a=b"), ("create", "ns", "anns")):
        refused = kubectl(*words)
        assert refused.returncode == 1
        assert "Forbidden" in refused.stderr, words
    path = "/apis/threeport.io/v1alpha1/kubernetesruntimeinstances/local"
    assert kubectl("get", "--raw", path).returncode == 0
    assert "Forbidden" in kubectl("get", "--raw", f"{path}?reveal=true").stderr
    shared.ok("delete", "workload/seen")


def test_the_name_of_a_viewer_cannot_say_more_than_a_name(shared: Tptctl) -> None:
    for name in ("", "a/b", "a,O=threeport:admins", "a" * 51, "-a"):
        answer = shared("config", "kubeconfig", f"--viewer={name}")
        assert answer.code == 2, name
        assert "viewer" in answer.err
