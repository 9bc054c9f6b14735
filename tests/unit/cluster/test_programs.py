from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import programs
from tests.cluster.errors import ProgramMissingError
from tests.cluster.programs import PROGRAMS, built_directory, cache_key, linker_flags, locate, version


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_a_pinned_version_and_a_tool_directive(name: str) -> None:
    assert version(name).startswith("v")
    assert f"\n\t{PROGRAMS[name].package}\n" in (programs.GO_MODULE / "go.mod").read_text()


def test_all_modules_of_kubernetes_have_the_release_of_kubernetes() -> None:
    lines = (programs.GO_MODULE / "go.mod").read_text().splitlines()
    replaced = {line.split()[-1] for line in lines if "=> k8s.io/" in line}
    assert replaced == {version("kube-apiserver").replace("v1.", "v0.")}


def test_the_server_is_told_its_version() -> None:
    assert f"-X k8s.io/component-base/version.gitVersion={version('kube-apiserver')}" in linker_flags()
    assert "-X k8s.io/client-go/pkg/version.gitMajor=1" in linker_flags()


def test_the_cache_key_changes_with_any_dependency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache_key()
    for file in ("go.mod", "go.sum"):
        (tmp_path / file).write_bytes((programs.GO_MODULE / file).read_bytes())
    monkeypatch.setattr(programs, "GO_MODULE", tmp_path)
    assert cache_key() == before
    with (tmp_path / "go.sum").open("a") as sums:
        sums.write("example.org/module v1.0.0 h1:0\n")
    assert cache_key() != before


def test_the_cache_can_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREEPORT_TEST_CLUSTER_CACHE", str(tmp_path / "elsewhere"))
    assert built_directory() == tmp_path / "elsewhere" / cache_key()


def test_kubebuilder_assets_come_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_program(built_directory() / "etcd")
    make_program(built_directory() / "kwok")
    asset = make_program(tmp_path / "assets" / "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    assert locate("etcd") == asset
    assert locate("kwok") == built_directory() / "kwok"


def test_a_missing_program_is_named_with_the_command_that_builds_it() -> None:
    with pytest.raises(ProgramMissingError, match=r"^kwok v\S+ is not in .*Run: scripts/test-cluster build$"):
        locate("kwok")


def make_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o700)
    return path
