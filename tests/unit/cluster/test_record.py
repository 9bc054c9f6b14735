from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster import lifecycle
from tests.cluster.errors import ClusterError
from tests.cluster.processes import Process, identify, is_alive, spawn, stop
from tests.cluster.programs import CONTROL_PLANE
from tests.cluster.record import Folder, Record, all_records, load


def save(record: Record) -> Record:
    Folder.of(record.name).path.mkdir(parents=True)
    record.save()
    return record


def sleeper(log: Path) -> Process:
    return spawn([str(shutil.which("sleep")), "60"], log)


def test_what_is_saved_is_loaded() -> None:
    record = Record(
        "one", {"etcd": "/bin/etcd"}, 3, True, {"etcd": 20000}, {"etcd": Process(7, "then")}, Process(8, "x")
    )
    assert save(record) == load("one")
    assert all_records() == [record]


def test_an_unknown_cluster_has_no_record() -> None:
    assert load("unknown") is None
    assert all_records() == []
    assert not lifecycle.down("unknown")


def test_a_damaged_record_is_named() -> None:
    save(Record("one"))
    Folder.of("one").record.write_text('{"name": "one"}')
    with pytest.raises(ClusterError, match=r"one/cluster\.json is not a record of this version"):
        load("one")


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "..", "-a", "a-", "a" * 49])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="cannot name a cluster"):
        Folder.of(name)


def test_down_ends_the_processes_and_removes_the_folder(tmp_path: Path) -> None:
    process = sleeper(tmp_path / "log")
    save(Record("one", processes={"etcd": process}))
    assert lifecycle.down("one")
    assert not is_alive(process)
    assert not Folder.of("one").path.exists()


def test_a_sweep_removes_only_clusters_whose_owner_has_ended(tmp_path: Path) -> None:
    ended = sleeper(tmp_path / "log")
    stop([ended], grace=0)
    save(Record("abandoned", owner=ended))
    save(Record("owned", owner=identify(os.getpid())))
    save(Record("permanent"))
    assert lifecycle.sweep() == ["abandoned"]
    assert [record.name for record in all_records()] == ["owned", "permanent"]


def test_a_cluster_runs_only_with_all_its_processes(tmp_path: Path) -> None:
    process = sleeper(tmp_path / "log")
    record = Record("one", processes=dict.fromkeys(CONTROL_PLANE, process))
    assert lifecycle.is_running(record)
    assert not lifecycle.is_running(replace(record, processes={"etcd": process}))
    stop([process], grace=0)
    assert not lifecycle.is_running(record)
