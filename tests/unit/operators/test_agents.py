"""What an instance and its definition say of the agent."""

from __future__ import annotations

from operators.kubernetes_runtime.agents import agent_pod, agent_settings
from operators.kubernetes_runtime.settings import RuntimeSettings
from threeport.common.types import JsonObject
from threeport.kube.agent_deployment import DEFAULT_RESOURCES, METRICS_PORT


def spec(**agent: object) -> JsonObject:
    return {"spec": {"agent": agent}}


def test_the_instance_rules_then_its_definition_then_the_controller() -> None:
    settings = RuntimeSettings(agent_image="of-controller")
    wanted = agent_settings(spec(image="of-instance", metricsPort=None), spec(image="of-definition", metricsPort=9000))
    pod = agent_pod(wanted, settings)
    assert pod is not None
    assert (pod.image, pod.metrics_port) == ("of-instance", 9000)
    fallen_back = agent_pod(agent_settings({"spec": {}}, {"spec": {"agent": None}}), settings)
    assert fallen_back is not None
    assert (fallen_back.image, fallen_back.metrics_port) == ("of-controller", METRICS_PORT)
    assert fallen_back.resources == DEFAULT_RESOURCES


def test_limits_alone_leave_the_usual_requests() -> None:
    wanted = agent_settings(spec(image="i", resources={"limits": {"memory": "1Gi"}, "requests": None}), {"spec": {}})
    pod = agent_pod(wanted, RuntimeSettings())
    assert pod is not None
    assert pod.resources == {"requests": DEFAULT_RESOURCES["requests"], "limits": {"memory": "1Gi"}}


def test_without_an_image_there_is_no_pod() -> None:
    assert agent_pod({}, RuntimeSettings()) is None
