"""Container images made without a container engine: tar files in the form that `docker save` writes.

The form is that of the Docker Image Specification v1.2 ("Combined Image JSON + Filesystem Changeset Format"), which
docker, containerd and kind all load.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Layer:
    """Files to be, in a tar file. The same files give the same bytes, whenever they are written."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        """Use `layer` instead."""
        self._archive = archive

    def file(self, path: str, content: bytes | str | Path, *, mode: int = 0o644) -> None:
        """A file; `content` is what it holds, or the file to copy."""
        data = content.read_bytes() if isinstance(content, Path) else content
        data = data.encode() if isinstance(data, str) else data
        entry = _entry(path, mode)
        entry.size = len(data)
        self._archive.addfile(entry, io.BytesIO(data))

    def directory(self, path: str, *, mode: int = 0o755) -> None:
        """An empty folder."""
        entry = _entry(path, mode)
        entry.type = tarfile.DIRTYPE
        self._archive.addfile(entry)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        entry = _entry(path, 0o777)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._archive.addfile(entry)


@contextmanager
def layer(destination: Path) -> Iterator[Layer]:
    """Write a layer to `destination`."""
    with tarfile.open(destination, "w", format=tarfile.GNU_FORMAT) as archive:
        yield Layer(archive)


@dataclass(frozen=True)
class Image:
    """Layers, the lowest first, and how to run them."""

    names: Sequence[str]
    layers: Sequence[Path]
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Sequence[str] = (SEARCH_PATH,)
    settings: Mapping[str, object] = field(default_factory=dict)
    """More of the image's configuration, such as `StopSignal`."""


def write_images(destination: Path, images: Sequence[Image]) -> None:
    """Write an archive of all the images; a layer that several have is there once."""
    digests = {path: _digest(path) for path in dict.fromkeys(path for image in images for path in image.layers)}
    manifest = []
    with tarfile.open(destination, "w", format=tarfile.GNU_FORMAT) as archive:
        for path, digest in digests.items():
            archive.add(path, f"{digest}/layer.tar")
        for image in images:
            document = _configuration(image, [digests[path] for path in image.layers])
            name = f"{hashlib.sha256(document).hexdigest()}.json"
            Layer(archive).file(name, document)
            layers = [f"{digests[path]}/layer.tar" for path in image.layers]
            manifest.append({"Config": name, "RepoTags": list(image.names), "Layers": layers})
        Layer(archive).file("manifest.json", json.dumps(manifest))


def _configuration(image: Image, digests: Sequence[str]) -> bytes:
    config = {
        "Env": list(image.environment),
        "Entrypoint": list(image.entrypoint),
        "Cmd": list(image.command),
        **image.settings,
    }
    document = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }
    return json.dumps(document).encode()


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _entry(path: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.mode = mode
    return entry
