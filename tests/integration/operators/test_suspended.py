"""A controller process that is suspended for longer than its lease, as with a laptop asleep, goes on by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.controllers import ControllerProcess
from tests.fixtures.manifests import CONFIG
from tests.fixtures.running import running
from tests.integration.operators.conftest import SIMULATED_ONLY, WORKLOAD, Space


@contextmanager
def suspended(process: ControllerProcess) -> Iterator[None]:
    """Stops the process where it is, and lets it go on."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@SIMULATED_ONLY
@pytest.mark.timeout(600)
async def test_a_controller_that_was_suspended_for_longer_than_its_lease_goes_on(space: Space, tmp_path: Path) -> None:
    plane = space.plane
    await space.deploy("before", [CONFIG])
    await space.ready(WORKLOAD, "before")
    pid, offset = plane.workload.pid, plane.workload.log.stat().st_size
    other = ControllerProcess(tmp_path / "other", plane.api, ("workload",), {})
    with suspended(plane.workload), running(other):

        async def has_taken_over() -> bool:
            return "holds shard" in other.log.read_text()

        await space.until(has_taken_over)
        await space.deploy("meanwhile", [CONFIG])
        await space.ready(WORKLOAD, "meanwhile")
    await space.deploy("after", [CONFIG])
    await space.ready(WORKLOAD, "after", seconds=90)
    assert plane.workload.pid == pid
    assert "holds shard" in plane.workload.log.read_text()[offset:], "its former lease was another's meanwhile"
