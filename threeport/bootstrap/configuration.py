"""Changes of the CLI's configuration file: one writer at a time, each change in one step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.files import Locked, lock, write_private
from threeport.client.config import Configuration, ControlPlaneEntry, home_directory

LOCK_SECONDS = 10.0


def add_control_plane(entry: ControlPlaneEntry, *, home: Path | None = None) -> None:
    """Adds or replaces the entry, and makes it the current one."""
    with _changing(home) as content:
        content.entries[entry.name] = entry
        content.current = entry.name


def renew_control_plane(entry: ControlPlaneEntry, *, home: Path | None = None) -> None:
    """Replaces the entry where there is one; the current one stays."""
    with _changing(home) as content:
        if entry.name in content.entries:
            content.entries[entry.name] = entry


def remove_control_plane(name: str, *, home: Path | None = None) -> None:
    """Removes the entry; if it was the current one, another becomes current, or none if there is no other."""
    with _changing(home) as content:
        content.entries.pop(name, None)
        if content.current == name:
            content.current = next(iter(sorted(content.entries)), None)


def use_control_plane(name: str, *, home: Path | None = None) -> None:
    """Makes `name` the control plane that commands speak to. Raises `ConfigError` if there is no such entry."""
    with _changing(home) as content:
        content.current = Configuration.read(home).control_plane(name).name


class _Content:
    """The configuration while it is changed."""

    def __init__(self, configuration: Configuration) -> None:
        self.current = configuration.current
        self.entries: dict[str, ControlPlaneEntry] = dict(configuration.control_planes)


@contextmanager
def _changing(home: Path | None) -> Iterator[_Content]:
    directory = home or home_directory()
    try:
        with lock(directory / ".config.lock", seconds=LOCK_SECONDS):
            configuration = Configuration.read(directory)
            content = _Content(configuration)
            yield content
            document = {
                "current": content.current,
                "controlPlanes": {name: entry.as_json() for name, entry in sorted(content.entries.items())},
            }
            write_private(configuration.path, yaml.safe_dump(document, sort_keys=False))
    except Locked as error:
        raise BootstrapError(f"The configuration is being changed by another command ({error}). Try again.") from None
