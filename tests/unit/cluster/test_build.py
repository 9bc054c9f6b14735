from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cluster.build import build
from tests.cluster.errors import ClusterError, ProgramMissingError
from tests.cluster.programs import built_directory

FAKE_GO = """#!/bin/sh
while [ "$1" != -o ]; do shift; done
[ "$FAKE_GO_FAILS" ] && exit 2
echo program > "$2"
"""


@pytest.fixture
def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A go that writes its output at once."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "go").write_text(FAKE_GO)
    (tmp_path / "bin" / "go").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")


@pytest.mark.usefixtures("fake_go")
def test_only_absent_programs_are_built() -> None:
    lines: list[str] = []
    build(["etcd"], report=lines.append)
    build(["etcd", "kwok"], report=lines.append)
    assert [line.split()[:2] for line in lines] == [
        ["building", "etcd"], ["built", "etcd"], ["building", "kwok"], ["built", "kwok"],
    ]  # fmt: skip
    assert sorted(path.name for path in built_directory().iterdir()) == ["etcd", "kwok"]


@pytest.mark.usefixtures("fake_go")
def test_a_failed_build_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_FAILS", "yes")
    with pytest.raises(ClusterError, match="go could not build etcd"):
        build(["etcd"], report=list[str]().append)
    assert list(built_directory().iterdir()) == []


def test_without_go_the_message_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ProgramMissingError, match=r"go is not on PATH.*go\.dev.*KUBEBUILDER_ASSETS"):
        build(["etcd"], report=print)


@pytest.mark.usefixtures("fake_go")
def test_a_full_disk_is_reported_before_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free=1024**3))
    with pytest.raises(ClusterError, match=r"1\.0 GiB free; a build needs 6 GiB"):
        build(["etcd"], report=print)
