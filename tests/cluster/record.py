"""What is known of a cluster between two commands: a folder and a record in it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tests.cluster.directories import state_root
from tests.cluster.errors import ClusterError
from tests.cluster.processes import Process

NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?")


@dataclass(frozen=True)
class Folder:
    """The folder of one cluster and the places in it."""

    path: Path

    @classmethod
    def of(cls, name: str) -> Folder:
        """The folder of the cluster `name`, whether it exists or not."""
        if not NAME_PATTERN.fullmatch(name):
            raise ClusterError(f"{name!r} cannot name a cluster: use at most 48 of a-z, 0-9 and inner dashes.")
        return cls(state_root() / name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.path / "kubeconfig"

    @property
    def certificates(self) -> Path:
        """Keys and certificates."""
        return self.path / "pki"

    @property
    def etcd(self) -> Path:
        """etcd's data."""
        return self.path / "etcd"

    @property
    def record(self) -> Path:
        """The saved Record."""
        return self.path / "cluster.json"

    def component_kubeconfig(self, component: str) -> Path:
        """The kubeconfig of a component of the control plane."""
        return self.path / f"{component}.kubeconfig"

    def log(self, component: str) -> Path:
        """The output of a component."""
        return self.path / f"{component}.log"


@dataclass(frozen=True)
class Record:
    """A cluster as it was last started."""

    name: str
    programs: Mapping[str, str] = field(default_factory=dict)
    """Path of each program by its name."""
    nodes: int = 0
    fsync: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)
    processes: Mapping[str, Process] = field(default_factory=dict)
    owner: Process | None = None
    """The process that this cluster must not outlive; None if it stays until it is taken down."""

    def with_process(self, component: str, process: Process) -> Record:
        """The same record with one more process."""
        return replace(self, processes={**self.processes, component: process})

    def save(self) -> None:
        """Write the record; a reader sees the old one or the new one, never a part."""
        path = Folder.of(self.name).record
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(asdict(self), indent=2))
        unfinished.replace(path)


def load(name: str) -> Record | None:
    """The record of a cluster; None if there is no such cluster."""
    path = Folder.of(name).record
    try:
        saved = json.loads(path.read_text())
        saved["processes"] = {component: Process(*process) for component, process in saved["processes"].items()}
        saved["owner"] = Process(*saved["owner"]) if saved["owner"] else None
        return Record(**saved)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"{path} is not a record of this version. End the processes it names and delete its folder."
        raise ClusterError(message) from error


def all_records() -> list[Record]:
    """The records of all clusters, by name."""
    names = sorted(path.parent.name for path in state_root().glob("*/cluster.json"))
    return [record for name in names if (record := load(name))]
