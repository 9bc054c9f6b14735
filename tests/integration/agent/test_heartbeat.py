"""The agent's sign of life says that what it has told is fresh, not only that a process runs."""

from __future__ import annotations

import uuid

import pytest

from agent.reporting.heartbeat import Heartbeat
from tests.fixtures.api import Api
from tests.fixtures.ports import free_port
from threeport.client import Client, ClientSettings
from threeport.client.errors import Unreachable
from threeport.client.transport import Transport
from threeport.resources.kubernetes_runtime import AgentHeartbeat, KubernetesRuntimeInstance
from threeport.resources.model import kind_of

RUNTIME, HEARTBEAT = kind_of(KubernetesRuntimeInstance), kind_of(AgentHeartbeat)


async def sees() -> None:
    """A cluster that answers."""


async def test_an_agent_gives_signs_of_life_as_long_as_its_cluster_answers_it(api: Api) -> None:
    runtime = f"runtime-{uuid.uuid4().hex[:8]}"
    spec = {"definitionRef": {"name": "kubeconfig"}, "endpoint": "https://127.0.0.1:1"}
    away = Transport(ClientSettings(url=f"http://127.0.0.1:{free_port()}"))
    async with Client(api.admin) as admin, Client(api.agent(runtime)) as client:
        await admin.create({"metadata": {"name": runtime}, "spec": spec}, RUNTIME)
        with pytest.raises(Unreachable):
            await Heartbeat(client, runtime, lambda: away.request("GET", "/")).beat()
        assert await admin.find(HEARTBEAT, runtime) is None
        await Heartbeat(client, runtime, sees).beat()
        assert await admin.find(HEARTBEAT, runtime) is not None
        await admin.delete(RUNTIME, runtime)
    await away.close()
