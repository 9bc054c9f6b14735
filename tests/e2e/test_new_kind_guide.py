"""The guide to a kind of one's own, followed word by word: its files are written, its commands are run, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY, Tptctl

pytestmark = pytest.mark.slow

GUIDE = REPOSITORY / "docs" / "guides" / "new-kind.md"
FENCE = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Reader:
    """Somebody who does what the guide says, in a directory of their own, and installs packages only for themselves."""

    directory: Path
    home: Path

    @property
    def packages(self) -> Path:
        """Where ``pip install`` puts things."""
        return self.directory / "packages"

    @property
    def environment(self) -> dict[str, str]:
        """What the commands see."""
        return {
            **os.environ,
            "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.packages),
            "THREEPORT_HOME": str(self.home),
            "COLUMNS": "200",
            # As options of pip: into a directory, with what is installed here and nothing from elsewhere.
            "PIP_TARGET": str(self.packages),
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as: without isolation
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def write(self, file: str, text: str) -> None:
        """Writes a file of the guide."""
        path = self.directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, script: str) -> str:
        """Runs commands of the guide, each of which must succeed; returns what they print."""
        answer = subprocess.run(
            ["bash", "-euc", script],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert answer.returncode == 0, f"{script}\n{answer.stdout}\n{answer.stderr}"
        return answer.stdout


@pytest.mark.timeout(600)
def test_the_guide_to_a_kind_of_ones_own_works_as_it_stands(tmp_path: Path, tptctl: Tptctl) -> None:
    reader = Reader(tmp_path, tptctl.home)
    printed = ""
    for block in FENCE.finditer(GUIDE.read_text()):
        if block["file"]:
            reader.write(block["file"], block["text"])
        elif block["language"] == "sh":
            printed += reader.run(block["text"])
    assert "controller-website" in printed
    assert "is served by 2 servers" in printed
    assert "Deployment/server" in printed
    assert "hello 4" in printed
    assert "website/hello deleted\n" in printed
    assert reader.run("tptctl get websites,workloads -A -o name") == ""
