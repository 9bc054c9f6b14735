"""A runtime says whether its agent lives."""

from __future__ import annotations

import signal

import pytest

from tests.integration.operators.conftest import RUNTIME, Space
from threeport.controller.conditions import condition, is_ready
from threeport.resources.kubernetes_runtime import AgentHeartbeat
from threeport.resources.model import kind_of

HEARTBEAT = kind_of(AgentHeartbeat)


@pytest.fixture
def shared_runtime() -> None:
    """Simulated clusters only: the agent is the same."""


async def says(space: Space, reason: str, *, seconds: float = 120) -> str:
    """Waits until the runtime says this of its agent; returns the message."""

    async def look() -> str | None:
        found = condition(((await space.get(RUNTIME, space.runtime)) or {}).get("status"), "AgentReporting")
        return str(found["message"]) if found is not None and found["reason"] == reason else None

    return await space.until(look, seconds=seconds, why=lambda: space.get(RUNTIME, space.runtime))


async def test_an_agent_that_starts_is_heard_and_its_heartbeat_goes_with_the_runtime(space: Space) -> None:
    await says(space, "Heard")
    runtime = await space.ready(RUNTIME, space.runtime)
    heartbeat = await space.client.get(HEARTBEAT, space.runtime)
    assert "agentLastSeen" not in runtime["status"], "it would look old while the agent is well"
    assert [one["uid"] for one in heartbeat["metadata"]["ownerReferences"]] == [runtime["metadata"]["uid"]]
    await space.client.delete(RUNTIME, space.runtime)
    await space.gone(RUNTIME, space.runtime)
    await space.gone(HEARTBEAT, space.runtime)
    await space.client.create(
        {"metadata": {"name": space.runtime}, "spec": {"definitionRef": {"name": "simulated"}}}, RUNTIME
    )  # the fixture deletes it again
    await space.ready(RUNTIME, space.runtime)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_an_agent_that_is_silent_is_told_and_one_that_comes_back_too(space: Space) -> None:
    await says(space, "Heard")
    (process,) = [process for path, (_, process) in space.plane.agents.running.items() if path.stem == space.runtime]
    process.send_signal(signal.SIGSTOP)
    try:
        assert "silent since" in await says(space, "Silent", seconds=200)
        runtime = await space.get(RUNTIME, space.runtime)
        assert runtime is not None
        assert is_ready(runtime)
        assert runtime["status"]["agentLastSeen"]
    finally:
        process.send_signal(signal.SIGCONT)
    await says(space, "Heard", seconds=60)
