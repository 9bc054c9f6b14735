"""An agent and a control plane of different releases get along: what one does not know of the other, it leaves out."""

from __future__ import annotations

import json
import uuid
from copy import deepcopy

from tests.fixtures.api import Api
from tests.integration.agent.conftest import KUBECTL_APPLY, Rig
from tests.integration.agent.test_agent import CONFIG
from threeport.client import Client
from threeport.kube.threeport_workload import crd_manifest, threeport_workload_name
from threeport.resources.kubernetes_runtime import AgentHeartbeat
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport, report_name

REPORT = kind_of(WorkloadReport)
HEARTBEAT = kind_of(AgentHeartbeat)


async def test_the_api_takes_what_a_newer_agent_writes_and_keeps_what_it_knows(api: Api) -> None:
    runtime = f"runtime-{uuid.uuid4().hex[:8]}"
    report = {
        "metadata": {"name": report_name("i", "u", runtime), "namespace": "default"},
        "spec": {
            "instanceRef": {"name": "i"},
            "instanceUid": "u",
            "runtimeRef": {"name": runtime},
            "health": "Healthy",
            "ofTomorrow": {"a": [1]},
            "resources": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "health": "Healthy", "ofTomorrow": 1}],
        },
    }
    beat = {
        "metadata": {"name": runtime},
        "spec": {
            "runtimeRef": {"name": runtime},
            "renewTime": "2030-01-01T00:00:00Z",
            "agentVersion": "99.1.0",
            "x": 1,
        },
    }
    async with Client(api.agent(runtime)) as agent:
        written = await agent.apply(report, REPORT, field_manager="threeport-agent", force=True, strict=False)
        beaten = await agent.apply(beat, HEARTBEAT, field_manager="threeport-agent", force=True, strict=False)
    assert written["spec"]["health"] == "Healthy"
    assert "ofTomorrow" not in str(written["spec"])
    assert beaten["spec"]["agentVersion"] == "99.1.0"


async def test_the_agent_reads_what_a_newer_control_plane_writes_into_its_cluster(rig: Rig) -> None:
    newer = deepcopy(crd_manifest())
    schema = newer["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["x-kubernetes-preserve-unknown-fields"] = True
    rig.cluster.kubectl(*KUBECTL_APPLY, given=json.dumps(newer))
    app = rig.deployed()
    app.apply([CONFIG])
    change = {"spec": {"ofTomorrow": {"a": 1}, "appliedHash": "hash-of-tomorrow"}}
    name = threeport_workload_name(app.name, app.uid)
    rig.cluster.kubectl("patch", "threeportworkload", name, "--type=merge", "-p", json.dumps(change))
    seen = rig.cluster.get("threeportworkload", name)
    assert seen["spec"]["ofTomorrow"] == {"a": 1}, "else this test shows nothing"
    report = await rig.report_when(app.uid, lambda report: report.spec.applied_hash == "hash-of-tomorrow")
    assert [one.kind for one in report.spec.resources] == ["ConfigMap"]


async def test_the_agent_reads_what_an_older_control_plane_has_written(rig: Rig) -> None:
    app = rig.deployed()
    app.apply([CONFIG])
    await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
    name = threeport_workload_name(app.name, app.uid)
    older = {"spec": {"instance": {"generation": None}, "appliedHash": "hash-of-yesterday"}}
    rig.cluster.kubectl("patch", "threeportworkload", name, "--type=merge", "-p", json.dumps(older))
    report = await rig.report_when(app.uid, lambda report: report.spec.applied_hash == "hash-of-yesterday")
    assert report.spec.instance_generation is None
