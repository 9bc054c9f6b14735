"""The agent with exactly the rights and the settings that the controller installs, in a real kube-apiserver."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import urllib.request
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.provision import Cluster
from tests.fixtures.api import Api
from tests.fixtures.ports import free_port
from tests.integration.agent.conftest import KUBECTL_APPLY, Deployed, eventually
from tests.integration.agent.test_agent import CONFIG, SECRET, web
from tests.integration.operators.conftest import access_from, administrator_of
from threeport.bootstrap.local.processes import ServerProcess
from threeport.client import Client, ClientSettings
from threeport.client.objects import decode_json
from threeport.common.errors import Forbidden
from threeport.common.ids import new_uid
from threeport.kube.agent_deployment import AgentPod, ApiAccess, access_secret, deployment_manifests, deployment_name
from threeport.kube.agent_manifests import (
    AGENT_ACCOUNT,
    AGENT_NAMESPACE,
    account_manifests,
    read_group_manifests,
    token_request,
)
from threeport.resources.kubernetes_runtime import AgentHeartbeat, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport

RUNTIME = kind_of(KubernetesRuntimeInstance)
READING = {"get", "list", "watch"}
VERBS = (*sorted(READING), "create", "update", "patch", "delete", "deletecollection", "impersonate", "escalate", "bind")
OF_EVERYBODY = {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}
"""What every account may create, by system:basic-user: questions about itself."""
ACCOUNT = f"/api/v1/namespaces/{AGENT_NAMESPACE}/serviceaccounts/{AGENT_ACCOUNT}"
METRIC = re.compile(r"^(\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


class Administrator:
    """kubectl as the fixtures of this directory use it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def kubectl(self, *words: str, given: str | None = None) -> str:
        return self._cluster.kubectl(*words, manifest=given)


class PodOfAgent(ServerProcess):
    """Runs what the container of the Deployment runs, with its environment; files are where we can put them."""

    name = "agent"

    def __init__(
        self, directory: Path, container: Mapping[str, Any], secret: Mapping[str, str], kubeconfig: Any
    ) -> None:
        super().__init__(directory)
        self._container = container
        self._files = {**secret, "kubeconfig": json.dumps(kubeconfig)}

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        for name, text in self._files.items():
            (self.directory / name).write_text(text)

    def command(self) -> list[str]:
        program, *arguments = self._container["command"]
        assert program == "python"
        return [sys.executable, *arguments]

    def environment(self) -> Mapping[str, str]:
        given = {each["name"]: each["value"] for each in self._container["env"]}
        mounted = {name: value.replace("/etc/threeport", str(self.directory)) for name, value in given.items()}
        return {**os.environ, **mounted, "KUBECONFIG": str(self.directory / "kubeconfig")}

    def ready(self) -> bool:
        """As the probe of the pod asks."""
        try:
            return self.ask(self._container["readinessProbe"]["httpGet"]["path"]) is not None
        except OSError:
            return False

    def ask(self, path: str) -> str:
        """The answer of the port for metrics and probes."""
        port = self._container["ports"][0]["containerPort"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def metrics(self) -> dict[str, float]:
        """What it measures."""
        return {name: float(value) for name, value in METRIC.findall(self.ask("/metrics"))}


@dataclass
class Installed:
    """An agent with the token of its account, and what it works with."""

    agent: PodOfAgent
    client: Client
    runtime: str
    administrator: Administrator
    cluster: ClientSettings
    """The administrator's way in."""
    account: ClientSettings
    """The agent's own."""

    def deployed(self) -> Deployed:
        """A new instance without objects."""
        return Deployed(f"app-{uuid.uuid4().hex[:8]}", new_uid(), self.administrator, self.runtime)  # type: ignore[arg-type]

    async def report_on(self, app: Deployed, health: str) -> WorkloadReport:
        """Waits for a report that says this."""

        async def look() -> WorkloadReport | None:
            found = await self.client.list(WorkloadReport, label_selector=f"threeport.io/runtime={self.runtime}")
            return next(
                (one for one in found.items if one.spec.instance_uid == app.uid and one.spec.health == health), None
            )

        found: WorkloadReport = await eventually(look, seconds=60, about=self.agent.log_tail)
        return found


@pytest.fixture
async def installed(api: Api, cluster: Cluster, tmp_path: Path) -> AsyncIterator[Installed]:
    """The manifests of the controller are applied, and the agent runs with what they give it."""
    runtime, administrator = f"runtime-{uuid.uuid4().hex[:8]}", Administrator(cluster)
    async with Client(api.admin) as client:
        spec = {"definitionRef": {"name": "kubeconfig"}, "endpoint": "https://127.0.0.1:1"}
        created = await client.create({"metadata": {"name": runtime}, "spec": spec}, RUNTIME)
        name = deployment_name(runtime, created["metadata"]["uid"])
        access = ApiAccess(url=api.url, ca=api.ca_file.read_text(), token=str(api.agent(runtime).token))
        secret = access_secret(name, access)
        pod = AgentPod(image="registry.k8s.io/agent:1", metrics_port=free_port())
        policy, deployment = deployment_manifests(name, runtime, access, pod)
        manifests = [*account_manifests(), *read_group_manifests(["example.com"]), secret, policy, deployment]
        administrator.kubectl(*KUBECTL_APPLY, given=yaml.safe_dump_all(manifests))
        admin, account = await _ways_in(cluster, tmp_path)
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        agent = PodOfAgent(tmp_path / "agent", container, secret["stringData"], _kubeconfig(account))
        agent.start()
        try:
            yield Installed(agent, client, runtime, administrator, admin, account)
        finally:
            agent.stop()
            administrator.kubectl("delete", "-f", "-", given=yaml.safe_dump_all([secret, policy, deployment]))
            await client.delete(RUNTIME, runtime)
            await client.patch(RUNTIME, runtime, None, {"metadata": {"finalizers": None}})


async def test_with_its_rights_the_agent_does_all_that_it_is_for(installed: Installed) -> None:
    app = installed.deployed()
    app.apply([CONFIG, SECRET, web()])
    report = await installed.report_on(app, "Healthy")
    assert {one.kind for one in report.spec.resources} == {"ConfigMap", "Secret", "Deployment"}
    assert report.spec.events, "it sees the Events of pods, too"
    assert (await installed.client.get(AgentHeartbeat, installed.runtime)).spec.agent_version
    measured = installed.agent.metrics()
    assert measured["threeport_agent_instances"] == 1
    assert measured["threeport_agent_objects"] >= 4
    assert measured['threeport_agent_writes_total{kind="report",result="done"}'] >= 1
    assert "cannot be watched" not in installed.agent.log.read_text()
    app.forget()


async def test_its_account_can_read_what_applications_are_made_of_and_nothing_else(installed: Installed) -> None:
    async with Client(installed.cluster) as admin:
        allowed = await _allowed(admin, await _resources(admin))
    assert {verb for verb, _ in allowed if verb not in READING} <= {"create"}
    assert {name for verb, name in allowed if verb not in READING} <= OF_EVERYBODY
    assert {verb for verb, name in allowed if name == "deployments.apps"} == READING
    assert not {name for _, name in allowed if name == "secrets"}


async def test_what_it_may_not_do_is_refused_when_it_tries(installed: Installed) -> None:
    async with Client(installed.account) as agent:
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
        attempts = [
            agent.get_path("/api/v1/secrets"),
            agent.get_path(f"/api/v1/namespaces/{AGENT_NAMESPACE}/secrets"),
            agent.post_path("/api/v1/namespaces/default/configmaps", config),
            agent.post_path(f"{ACCOUNT}/token", token_request()),
            agent.post_path("/apis/agent.threeport.io/v1alpha1/threeportworkloads", {}),
        ]
        for attempt in attempts:
            with pytest.raises(Forbidden):
                await attempt


async def test_its_pod_is_accepted_where_pod_security_is_restricted(installed: Installed) -> None:
    async def look() -> bool:
        words = ("get", "pods", "-n", AGENT_NAMESPACE, "-l", "app.kubernetes.io/name=threeport-agent", "-o", "json")
        return bool(json.loads(installed.administrator.kubectl(*words))["items"])

    await eventually(look, seconds=60)


async def test_a_restart_repeats_nothing(installed: Installed) -> None:
    app = installed.deployed()
    app.apply([CONFIG, web(replicas=3)])
    await installed.report_on(app, "Healthy")
    await _at_rest(installed)
    before = {one.metadata.name: one.metadata.resource_version for one in await _reports(installed)}
    installed.agent.kill()
    installed.agent.start()
    await _at_rest(installed)
    written = {name: n for name, n in installed.agent.metrics().items() if "writes" in name and "report" in name}
    assert not any(written.values())
    assert {one.metadata.name: one.metadata.resource_version for one in await _reports(installed)} == before
    app.forget()


async def _ways_in(cluster: Cluster, directory: Path) -> tuple[ClientSettings, ClientSettings]:
    """The administrator's way into the cluster, and that of the agent's account."""
    access = access_from(cluster.kubeconfig)
    admin = administrator_of(access, directory)
    async with Client(admin) as client:
        token = (await client.post_path(f"{ACCOUNT}/token", token_request()))["status"]["token"]
    return admin, ClientSettings(url=access.endpoint, ca_file=admin.ca_file, token=token)


def _kubeconfig(account: ClientSettings) -> dict[str, Any]:
    return {
        "current-context": "agent",
        "contexts": [{"name": "agent", "context": {"cluster": "agent", "user": "agent"}}],
        "clusters": [{"name": "agent", "cluster": {"server": account.url, "certificate-authority": account.ca_file}}],
        "users": [{"name": "agent", "user": {"token": account.token}}],
    }


async def _reports(installed: Installed) -> list[WorkloadReport]:
    selector = f"threeport.io/runtime={installed.runtime}"
    return (await installed.client.list(WorkloadReport, label_selector=selector)).items


async def _at_rest(installed: Installed) -> None:
    """Returns when the agent knows its instance and has had nothing to write for three looks in a row."""
    quiet = 0

    async def look() -> bool:
        nonlocal quiet
        measured = installed.agent.metrics()
        idle = measured["threeport_agent_instances"] == 1 and measured["threeport_agent_pending_reports"] == 0
        known = measured["threeport_agent_objects"] >= 4
        quiet = quiet + 1 if idle and known else 0
        await asyncio.sleep(1)
        return quiet == 3

    await eventually(look, seconds=60, about=installed.agent.log_tail)


async def _resources(admin: Client) -> list[tuple[str, str]]:
    """Group and plural of all that the cluster serves, subresources included."""
    groups = decode_json(await admin.get_path("/apis"))["groups"]
    paths = {"/api/v1": ""} | {f"/apis/{each['preferredVersion']['groupVersion']}": each["name"] for each in groups}
    found = []
    for path, group in paths.items():
        found += [(group, resource["name"]) for resource in decode_json(await admin.get_path(path))["resources"]]
    return found


async def _allowed(admin: Client, resources: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which verbs the account of the agent may use on what, everywhere, as the cluster says."""
    path, gate = "/apis/authorization.k8s.io/v1/subjectaccessreviews", asyncio.Semaphore(16)

    async def ask(verb: str, group: str, name: str) -> tuple[str, str] | None:
        resource, _, sub = name.partition("/")
        asked = {"verb": verb, "group": group, "resource": resource, "subresource": sub, "namespace": ""}
        user = f"system:serviceaccount:{AGENT_NAMESPACE}:{AGENT_ACCOUNT}"
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{AGENT_NAMESPACE}", "system:authenticated"]
        spec = {"user": user, "groups": groups, "resourceAttributes": asked}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        async with gate:
            answer = await admin.post_path(path, body)
        return (verb, f"{name}.{group}".rstrip(".")) if answer["status"]["allowed"] else None

    answers = await asyncio.gather(*(ask(verb, *resource) for verb in VERBS for resource in resources))
    return {(verb, name.removesuffix(".authorization.k8s.io").removesuffix(".authentication.k8s.io"))
            for verb, name in (answer for answer in answers if answer)}  # fmt: skip
