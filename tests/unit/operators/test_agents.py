"""What an instance and its definition say of the agent."""

from __future__ import annotations

import time

import jwt
import pytest

from operators.kubernetes_runtime.agents import agent_pod, agent_settings, is_good, may_be_accepted
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


@pytest.mark.parametrize(
    ("renew_after", "good"),
    [
        (1, True),
        (-1, False),
        (10**9, False),
        ("soon", False),
        (None, False),
        ("inf", False),
        ("nan", False),
        ([], False),
    ],
)
def test_tokens_are_made_anew_when_their_time_has_come_or_what_is_said_of_it_makes_no_sense(
    renew_after: object, good: bool
) -> None:
    known = time.time() + renew_after * 100 if isinstance(renew_after, int | float) else renew_after
    for said in (known, str(known)):
        assert is_good({"madeFor": "x", "renewAfter": said}, "x") is good
        assert not is_good({"madeFor": "x", "renewAfter": said}, "y")


NEW_YEAR = 1767225600
"""2026-01-01T00:00:00Z"""


@pytest.mark.parametrize(
    ("age", "reporting", "kept"), [(60, "True", True), (60, "False", False), (-60, "False", True), (60, None, True)]
)
def test_a_token_that_is_older_than_the_silence_of_its_agent_is_made_anew(
    age: int, reporting: str | None, kept: bool
) -> None:
    said = {"type": "AgentReporting", "status": reporting, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    runtime = {"status": {"conditions": [said] if reporting else []}}
    token = jwt.encode({"iat": NEW_YEAR - age}, "k" * 32)
    assert may_be_accepted(token, runtime) is kept
    assert not may_be_accepted("what somebody wrote there", runtime)
