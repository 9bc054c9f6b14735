"""The agent's Deployment in a real cluster is kept as it should be, whatever becomes of it, and so is its token."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.cluster.provision import Cluster as RealCluster
from tests.fixtures.api import new_api, settings_of
from tests.fixtures.control_plane import until
from tests.fixtures.controllers import ControllerProcess
from tests.fixtures.running import running
from tests.integration.operators.conftest import RUNTIME, RUNTIME_DEFINITION, access_from, ensure, runtime_spec
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.client import Client
from threeport.common.types import JsonObject
from threeport.kube.agent_deployment import deployment_name
from threeport.kube.agent_manifests import AGENT_NAMESPACE
from threeport.kube.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(900)]

NAME = "upkeep"


class Agent:
    """What the controller has put into the cluster for the agent."""

    def __init__(self, client: Client, cluster: Cluster, name: str) -> None:
        self.client, self.cluster, self._name = client, cluster, name

    async def deployment(self) -> JsonObject | None:
        return await self.cluster.get("apps/v1", "Deployment", self._name, AGENT_NAMESPACE)

    async def secret(self) -> JsonObject | None:
        return await self.cluster.get("v1", "Secret", self._name, AGENT_NAMESPACE)

    async def token(self) -> str:
        return base64.b64decode(((await self.secret()) or {"data": {"token": ""}})["data"]["token"]).decode()

    async def container(self) -> JsonObject:
        found = await self.deployment()
        return found["spec"]["template"]["spec"]["containers"][0] if found else {}


@pytest.fixture
def own_cluster(clusters: Callable[[int], list[RealCluster]]) -> RealCluster:
    """Not the one in which others have their agents: with the last runtime of an installation goes what they need."""
    return clusters(2)[1]


@pytest.fixture
async def agent(
    postgres_dsn: str, nats_url: str, identity_files: IdentityFiles, own_cluster: RealCluster, tmp_path: Path
) -> AsyncIterator[Agent]:
    """An API and a controller that installs agents as Deployments, and a runtime on a real cluster."""
    api = new_api(settings_of(postgres_dsn, nats_url, identity_files), identity_files, tmp_path / "api")
    settings = {"THREEPORT_AGENT_IMAGE": "agent:1"}
    controller = ControllerProcess(tmp_path / "runtime", api, ("kubernetes-runtime",), settings)
    access = access_from(own_cluster.kubeconfig)
    with running(api.process, controller):
        async with Client(api.admin) as client:
            await ensure(client, RUNTIME_DEFINITION, "kubeconfig", {"infraProvider": "kubeconfig"})
            made = await client.create({"metadata": {"name": NAME}, "spec": runtime_spec(access)}, RUNTIME)
            agent = Agent(client, Cluster(access), deployment_name(NAME, made["metadata"]["uid"]))

            async def is_installed() -> bool:
                return await agent.deployment() is not None

            await until(is_installed, seconds=60)
            yield agent
            await client.delete(RUNTIME, NAME)

            async def is_gone() -> bool:
                return await client.find(RUNTIME, NAME) is None

            await until(is_gone, seconds=60)
            await agent.cluster.close()


async def test_a_change_of_image_or_resources_is_rolled_out(agent: Agent) -> None:
    wanted = {"image": "agent:2", "resources": {"limits": {"memory": "300Mi"}}}
    await agent.client.patch(RUNTIME, NAME, None, {"spec": {"agent": wanted}})

    async def is_rolled_out() -> bool:
        container = await agent.container()
        return container.get("image") == "agent:2" and container["resources"]["limits"] == {"memory": "300Mi"}

    await until(is_rolled_out, seconds=60)


async def test_what_somebody_deletes_or_spoils_is_back_within_a_minute(agent: Agent, own_cluster: RealCluster) -> None:
    deployment, secret, token = await agent.deployment(), await agent.secret(), await agent.token()
    assert deployment is not None
    assert secret is not None
    name, spoilt = secret["metadata"]["name"], {"data": {"token": base64.b64encode(b"no token").decode()}}
    await agent.cluster.delete("apps/v1", "Deployment", name, AGENT_NAMESPACE, uid=deployment["metadata"]["uid"])
    own_cluster.kubectl("patch", "secret", name, "-n", AGENT_NAMESPACE, "--type=merge", "-p", json.dumps(spoilt))
    assert await agent.token() == "no token"

    async def is_back() -> bool:
        return await agent.deployment() is not None and await agent.token() not in ("", "no token")

    await until(is_back, seconds=90)
    assert await agent.token() != token
