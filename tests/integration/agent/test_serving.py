"""What the agent serves beside its work."""

from __future__ import annotations

import socket

import pytest

from agent.settings import AgentSettings
from agent.watcher import Watcher
from tests.fixtures.ports import free_port
from threeport.client import ClientSettings


async def test_an_agent_works_without_metrics_when_its_port_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    nowhere = ClientSettings(url=f"http://127.0.0.1:{free_port()}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        watcher = Watcher(AgentSettings(runtime="eu", cluster=nowhere, api=nowhere, metrics_port=port))
        try:
            await watcher.start()
            assert not watcher.ending.is_set()
        finally:
            await watcher.stop()
    assert "spec.agent.metricsPort" in caplog.text
