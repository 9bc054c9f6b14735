"""Callers ask what they may do, and who they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.krm.conftest import Krm

ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

CREATE = {"verb": "create", "group": "threeport.io", "resource": "workloads", "namespace": "default"}


async def status(krm: Krm, path: str, spec: Any, identity: str = "admin") -> dict[str, Any]:
    """The status of a review."""
    answer = await krm.call("POST", path, {"spec": spec}, X_Test_Identity=identity)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.body["status"]
    return found


@pytest.mark.parametrize(
    ("identity", "attributes", "allowed"),
    [
        ("admin", CREATE, True),
        ("nobody", CREATE, False),
        ("admin", {"verb": "*", "group": "*", "resource": "*"}, True),
        ("nobody", {"verb": "*", "group": "*", "resource": "*"}, False),
        ("admin", {**CREATE, "resource": "unheardof"}, False),
        ("admin", {**CREATE, "verb": "dance"}, False),
    ],
)
async def test_an_access_review_says_what_a_request_would_be_told(
    krm: Krm, identity: str, attributes: dict[str, str], allowed: bool
) -> None:
    answer = await status(krm, ACCESS, {"resourceAttributes": attributes}, identity)
    assert answer["allowed"] is allowed
    assert allowed or answer["reason"]


async def test_paths_about_the_server_may_be_read(krm: Krm) -> None:
    assert (await status(krm, ACCESS, {"nonResourceAttributes": {"path": "/apis", "verb": "get"}}))["allowed"]
    assert not (await status(krm, ACCESS, {"nonResourceAttributes": {"path": "/apis", "verb": "post"}}))["allowed"]


async def test_rules_list_what_is_allowed(krm: Krm) -> None:
    rules = (await status(krm, RULES, {"namespace": "default"}))["resourceRules"]
    assert {"workloads", "namespaces"} <= {resource for rule in rules for resource in rule["resources"]}
    assert (await status(krm, RULES, {"namespace": "default"}, "nobody"))["resourceRules"] == []


async def test_a_caller_hears_who_it_is(krm: Krm) -> None:
    assert (await status(krm, SELF, {}, "somebody"))["userInfo"]["username"] == "somebody"


@pytest.mark.parametrize("body", [{}, {"spec": 1}, {"spec": {"resourceAttributes": []}}])
async def test_a_review_of_nothing_is_refused(krm: Krm, body: Any) -> None:
    assert (await krm.call("POST", ACCESS, body)).status == 400
