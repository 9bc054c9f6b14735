"""Build the programs from the Go module proxy into the cache.

Each program is built by itself and moved into place when complete, so an
interrupted build goes on where it stopped, and nobody ever runs half a file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.cluster.directories import exclusive
from tests.cluster.errors import ClusterError, ProgramMissingError
from tests.cluster.programs import COMMON_FLAGS, GO_MODULE, PROGRAMS, built_directory, linker_flags, version

FREE_BYTES_NEEDED = 6 * 1024**3
"""Measured with Kubernetes 1.36: 0.5 GB of programs, 1 GB of modules, 3.2 GB of Go's build cache; and some room."""

Report = Callable[[str], None]


def build(names: Iterable[str], *, report: Report) -> Path:
    """Build those of the named programs that are absent; returns their folder.

    Safe to run twice at once: the second run waits, then finds everything built.
    """
    directory = built_directory()
    with exclusive(directory):
        absent = [name for name in names if not (directory / name).exists()]
        if absent:
            _require_go()
            _require_space(directory)
        for name in absent:
            started = time.monotonic()
            report(f"building {name} {version(name)} ...")
            _build_program(name, directory)
            report(f"built {name} in {time.monotonic() - started:.0f} s")
    return directory


def _build_program(name: str, directory: Path) -> None:
    unfinished = directory / f".{name}.{os.getpid()}"
    command = ["go", "build", *COMMON_FLAGS, "-ldflags", linker_flags(), "-o", str(unfinished), PROGRAMS[name].package]
    try:
        # Without cgo the programs are static and need no C compiler.
        subprocess.run(command, cwd=GO_MODULE, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
        unfinished.replace(directory / name)
    except subprocess.CalledProcessError as error:
        message = f"go could not build {name} {version(name)} (exit code {error.returncode}); its reason is above."
        raise ClusterError(message) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _require_go() -> None:
    if not shutil.which("go"):
        raise ProgramMissingError(
            "go is not on PATH. Install the version named in tests/cluster/go/go.mod or newer (https://go.dev/dl), "
            "or set KUBEBUILDER_ASSETS to a folder that holds the programs."
        )


def _require_space(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < FREE_BYTES_NEEDED:
        raise ClusterError(
            f"{directory} has {free / 1024**3:.1f} GiB free; a build needs {FREE_BYTES_NEEDED / 1024**3:.0f} GiB. "
            "Free some, or set THREEPORT_TEST_CLUSTER_CACHE (and GOCACHE) to another disk."
        )
