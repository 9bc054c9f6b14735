"""The agent end to end: what happens in a cluster is told to the API, once, whatever interrupts."""

from __future__ import annotations

from typing import Any

import yaml

from agent.observation.events import NEWEST
from tests.fixtures.simulated import SimulatedCluster
from tests.integration.agent.conftest import Rig, eventually
from threeport.kube.agent_manifests import read_group_manifests


def web(*, image: str = "nginx:1.27", replicas: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"a": "b"}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "secret"}, "stringData": {"password": "x"}}


async def test_a_healthy_application_is_reported_healthy_with_what_was_applied(rig: Rig) -> None:
    app = rig.deployed()
    app.apply([CONFIG, SECRET, web()], generation=4, applied_hash="abc")
    report = await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
    assert report.spec.instance_generation == 4
    assert report.spec.applied_hash == "abc"
    assert [(one.kind, one.health) for one in report.spec.resources] == [
        ("ConfigMap", "Healthy"),
        ("Secret", "Healthy"),
        ("Deployment", "Healthy"),
    ]
    assert {event.reason for event in report.spec.events} >= {"Scheduled", "Started"}


async def test_a_deployment_that_waits_is_explained_by_its_pod(rig: Rig) -> None:
    app = rig.deployed()
    app.apply([web(image="registry.invalid/web:1")])
    report = await rig.report_when(app.uid, lambda report: report.spec.health == "Down")
    assert "ImagePullBackOff" in report.spec.resources[0].message
    assert report.spec.message.startswith("Deployment/web: ImagePullBackOff")
    app.apply([web()], generation=2, applied_hash="hash-2")
    await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")


async def test_an_object_that_somebody_deletes_is_reported_missing(rig: Rig) -> None:
    app = rig.deployed()
    app.apply([CONFIG, web()])
    await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
    rig.cluster.kubectl("delete", "configmap", "config")
    report = await rig.report_when(app.uid, lambda report: report.spec.health == "Down", seconds=30)
    assert report.spec.resources[0].message == "missing"


async def test_a_kind_that_appears_later_is_watched_then(rig: Rig) -> None:
    definition = _definition()
    lamp = {"apiVersion": "lights.example.com/v1", "kind": "Lamp", "metadata": {"name": "desk"}, "spec": {}}
    app = rig.deployed()
    app.objects = [{**lamp, "metadata": {"name": "desk", "namespace": "default"}}]
    app.tell()
    await rig.report_when(app.uid, lambda report: "lights.example.com" in report.spec.message, seconds=30)
    _allow(rig.cluster, "lights.example.com")
    rig.cluster.kubectl("apply", "-f", "-", given=definition)
    rig.cluster.kubectl("wait", "crd/lamps.lights.example.com", "--for=condition=Established", "--timeout=10s")
    app.apply([lamp])
    await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy", seconds=40)


async def test_what_another_runtime_has_put_into_the_same_cluster_is_left_to_its_agent(rig: Rig) -> None:
    theirs, ours = rig.deployed(), rig.deployed()
    theirs.runtime = "another"
    theirs.apply([CONFIG])
    ours.apply([CONFIG])
    await rig.report_when(ours.uid, lambda report: report.spec.health == "Healthy")
    assert await rig.reports(theirs.uid) == []


async def test_a_report_goes_when_its_instance_goes(rig: Rig) -> None:
    app = rig.deployed()
    app.apply([CONFIG])
    await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
    app.forget()
    await eventually(lambda: _none(rig, app.uid), about=rig.agent.log_tail)


async def test_a_restart_writes_nothing_that_is_known_and_forgets_what_is_gone(rig: Rig) -> None:
    stays, goes = rig.deployed(), rig.deployed()
    stays.apply([web()])
    goes.apply([CONFIG])
    before = await rig.report_when(stays.uid, lambda report: report.spec.health == "Healthy")
    await rig.report_when(goes.uid, lambda report: report.spec.health == "Healthy")
    await _settled(rig, stays.uid)
    before = (await rig.reports(stays.uid))[0]
    rig.agent.kill()
    goes.forget()
    rig.agent.start()
    await eventually(lambda: _none(rig, goes.uid), about=rig.agent.log_tail)
    after = (await rig.reports(stays.uid))[0]
    assert after.metadata.resource_version == before.metadata.resource_version


async def test_a_restart_writes_nothing_of_what_is_missing_still_and_of_more_events_than_are_told(rig: Rig) -> None:
    app, other = rig.deployed(), rig.deployed()
    app.apply([{**CONFIG, "metadata": {"name": "lost"}}, web(replicas=12)])
    await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
    rig.cluster.kubectl("delete", "configmap", "lost")
    await rig.report_when(app.uid, lambda report: report.spec.health == "Down")
    await _settled(rig, app.uid)
    before = (await rig.reports(app.uid))[0]
    assert len(before.spec.events) == NEWEST, "else this test shows less"
    rig.agent.kill()
    rig.agent.start()
    other.apply([CONFIG])
    await rig.report_when(other.uid, lambda report: report.spec.health == "Healthy")
    after = (await rig.reports(app.uid))[0]
    assert after.metadata.resource_version == before.metadata.resource_version, after.spec.message


async def _none(rig: Rig, uid: str) -> bool:
    return not await rig.reports(uid)


async def _settled(rig: Rig, uid: str) -> None:
    """Returns when the report has told of the last event and the same report was seen twice, a pace apart."""
    seen: list[str | None] = []

    async def look() -> bool:
        seen.append((await rig.reports(uid))[0].metadata.resource_version)
        return len(seen) > 15 and len(set(seen[-15:])) == 1

    await eventually(look)


def _definition() -> str:
    return """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.lights.example.com}
spec:
  group: lights.example.com
  scope: Namespaced
  names: {plural: lamps, singular: lamp, kind: Lamp}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def _allow(cluster: SimulatedCluster, group: str) -> None:
    cluster.kubectl("apply", "--server-side", "-f", "-", given=yaml.safe_dump_all(read_group_manifests([group])))
