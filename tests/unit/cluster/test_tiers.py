from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterMissingError
from tests.cluster.programs import CONTROL_PLANE, PROGRAMS, built_directory
from tests.cluster.provision import Provider
from tests.cluster.tiers import Tier, choose


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """All programs, though they do nothing."""
    built_directory().mkdir(parents=True)
    for name in PROGRAMS:
        (built_directory() / name).write_text("#!/bin/sh\necho Kubernetes v1.99.0\n")
        (built_directory() / name).chmod(0o700)
    monkeypatch.setattr(shutil, "which", lambda _name: None)


@pytest.mark.usefixtures("built")
def test_a_kubeconfig_of_the_user_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").touch()
    monkeypatch.setenv("THREEPORT_TEST_KUBECONFIG", str(tmp_path / "mine"))
    assert choose(None).tier is Tier.KUBECONFIG
    assert choose(Tier.BINARIES).tier is Tier.BINARIES


@pytest.mark.usefixtures("built")
def test_a_kubeconfig_that_does_not_exist_is_not_replaced_by_another_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREEPORT_TEST_KUBECONFIG", "/nowhere/mine")
    choice = choose(None)
    assert choice.tier is None
    assert choice.description == "THREEPORT_TEST_KUBECONFIG names /nowhere/mine, which does not exist."


@pytest.mark.usefixtures("built")
def test_built_programs_say_their_own_version() -> None:
    choice = choose(None)
    assert choice.tier is Tier.BINARIES
    assert choice.description.startswith("Kubernetes v1.99.0, simulated nodes")


def test_without_any_tier_the_first_remedy_is_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    choice = choose(None)
    assert choice.tier is None
    assert choice.description.startswith(CONTROL_PLANE[0])
    assert choice.description.endswith("Run: scripts/test-cluster build, or for kind: docker is not on PATH.")


@pytest.mark.usefixtures("built")
def test_kind_needs_docker() -> None:
    assert choose(Tier.KIND).description == "docker is not on PATH."


def test_a_users_clusters_are_not_multiplied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREEPORT_TEST_KUBECONFIG", str(tmp_path / "only"))
    (tmp_path / "only").touch()
    with pytest.raises(ClusterMissingError, match=r"names 1 cluster\(s\); this test needs 2"):
        Provider(Tier.KUBECONFIG).clusters(2)
