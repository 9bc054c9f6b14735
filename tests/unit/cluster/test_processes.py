from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.processes import Process, identify, is_alive, spawn, stop


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    """A process that does nothing for a minute."""
    process = spawn([str(shutil.which("sleep")), "60"], tmp_path / "log")
    yield process
    stop([process], grace=0)


def test_a_process_outlives_the_terminal(sleeper: Process) -> None:
    assert is_alive(sleeper)
    assert os.getsid(sleeper.pid) == sleeper.pid


@pytest.mark.parametrize("grace", [0, 5.0])
def test_a_stopped_process_is_not_alive(sleeper: Process, grace: float) -> None:
    stop([sleeper], grace=grace)
    assert not is_alive(sleeper)


def test_a_process_that_got_the_number_of_ours_is_left_alone(sleeper: Process) -> None:
    predecessor = Process(sleeper.pid, "earlier")
    assert not is_alive(predecessor)
    stop([predecessor], grace=0)
    assert is_alive(sleeper)


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    script = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
    process = spawn([str(shutil.which("sh")), "-c", script], tmp_path / "log")
    while "deaf" not in (tmp_path / "log").read_text():
        assert is_alive(process)
    stop([process], grace=0.1)
    assert not is_alive(process)


def test_nobody_has_an_unused_number() -> None:
    assert identify(2**22 + 1) is None
