"""Who may do what in a simulated cluster, and what its database gives away."""

from __future__ import annotations

import json
import urllib.error
import uuid

import psycopg
import pytest
import yaml

from tests.fixtures.simulated import SimulatedCluster, SimulatedProcess
from threeport.client import Client
from threeport.client.config import ClientSettings
from threeport.common.errors import BadRequest, Forbidden, Unauthorized
from threeport.kube.agent_manifests import AGENT_ACCOUNT, AGENT_NAMESPACE, account_manifests, token_request
from threeport.simulated.kinds import built_in_kinds

TOKEN_PATH = f"/api/v1/namespaces/{AGENT_NAMESPACE}/serviceaccounts/{AGENT_ACCOUNT}/token"


async def account_settings(cluster: SimulatedCluster) -> ClientSettings:
    """A client that is the agent's account."""
    cluster.kubectl("apply", "--server-side", "-f", "-", given=yaml.safe_dump_all(account_manifests()))
    async with Client(cluster.admin) as administrator:
        token = (await administrator.post_path(TOKEN_PATH, token_request()))["status"]["token"]
    return ClientSettings(url=cluster.url, ca_file=str(cluster.ca_file), token=token)


async def test_an_account_has_exactly_the_rights_of_its_roles(simulated_cluster: SimulatedCluster) -> None:
    kinds = built_in_kinds()
    pods, secrets = kinds.by_resource("pods"), kinds.by_resource("secrets")
    assert pods
    assert secrets
    async with Client(await account_settings(simulated_cluster)) as account:
        assert (await account.list(pods)).items == []
        with pytest.raises(Forbidden, match="cannot list resource"):
            await account.list(secrets)
        with pytest.raises(Forbidden):
            await account.delete(pods, "any", "default")
        with pytest.raises(Forbidden):
            await account.post_path(TOKEN_PATH, token_request())


@pytest.mark.parametrize("spec", [{"expirationSeconds": "long"}, {"expirationSeconds": True}, [1], "x"])
async def test_a_request_for_a_token_that_makes_no_sense_is_a_bad_request(
    simulated_cluster: SimulatedCluster, spec: object
) -> None:
    await account_settings(simulated_cluster)
    async with Client(simulated_cluster.admin) as administrator:
        with pytest.raises(BadRequest, match="expirationSeconds"):
            await administrator.post_path(TOKEN_PATH, {**token_request(), "spec": spec})


async def test_a_token_that_is_no_text_is_refused_as_any_other(simulated_cluster: SimulatedCluster) -> None:
    for path in ("/clusters", f"/clusters/{simulated_cluster.name}/api"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            simulated_cluster.process.call("GET", path, "\xff\xfe")
        assert refused.value.code == 401


async def test_a_token_ends_with_its_account_and_counts_in_its_own_cluster_only(
    simulated_cluster: SimulatedCluster, simulated_process: SimulatedProcess
) -> None:
    settings = await account_settings(simulated_cluster)
    other = f"test-{uuid.uuid4().hex[:10]}"
    simulated_process.call("PUT", f"/clusters/{other}", simulated_cluster.token)
    stranger = ClientSettings(
        url=f"{simulated_process.url}/clusters/{other}", ca_file=settings.ca_file, token=settings.token
    )
    async with Client(stranger) as client:
        with pytest.raises(Unauthorized):
            await client.get_path("/api")
    simulated_process.call("DELETE", f"/clusters/{other}", simulated_cluster.token)
    simulated_cluster.kubectl("delete", "serviceaccount", AGENT_ACCOUNT, "-n", AGENT_NAMESPACE)
    async with Client(settings) as client:
        with pytest.raises(Unauthorized, match="is gone"):
            await client.get_path("/api")


@pytest.mark.parametrize("path", ["", "/api", "/apis", "/version", "/openapi/v3", "/api/v1/pods", "/apis/apps/v1"])
def test_without_a_good_token_nothing_is_answered(simulated_cluster: SimulatedCluster, path: str) -> None:
    for token in ("", "wrong", "a.b.c"):
        with pytest.raises(urllib.error.HTTPError) as error:
            simulated_cluster.process.call("GET", f"/clusters/{simulated_cluster.name}{path}", token)
        assert error.value.code == 401
    for method in ("PUT", "DELETE"):
        with pytest.raises(urllib.error.HTTPError) as error:
            simulated_cluster.process.call(method, f"/clusters/{simulated_cluster.name}", "wrong")
        assert error.value.code == 401


def test_the_value_of_a_secret_is_readable_by_kubectl_and_not_in_the_database(
    simulated_cluster: SimulatedCluster, postgres_dsn: str
) -> None:
    canary = uuid.uuid4().hex
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": canary}}
    simulated_cluster.kubectl("apply", "-f", "-", given=json.dumps(secret))
    template = 'go-template={{index .data "password" | base64decode}}'
    assert simulated_cluster.kubectl("get", "secret", "s", "-o", template) == canary
    encoded = simulated_cluster.get("secrets")["items"][0]["data"]["password"]
    with psycopg.connect(postgres_dsn) as connection:
        bodies = connection.execute(f"SELECT body FROM {simulated_cluster.schema}.objects".encode()).fetchall()
    stored = "".join(row[0] for row in bodies)
    assert "sealed:v1:" in stored
    assert canary not in stored
    assert encoded not in stored
