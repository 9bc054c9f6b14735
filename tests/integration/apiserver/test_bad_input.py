"""What no client of good will sends is refused in the words of the API: it is no failure of the server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.api import Api
from tests.integration.apiserver.http import GROUP, Http
from threeport.bootstrap.local.processes import LOOPBACK
from threeport.client.config import ClientSettings

NAMESPACED = f"{GROUP}/namespaces/default"


@pytest.mark.parametrize("token", [b"\xff\xfe", b"a.b.\xc3\xa9", "é.é.é".encode(), b"." * 9000])
async def test_a_token_that_is_no_text_is_refused_as_any_other(api: Api, token: bytes) -> None:
    context = ssl.create_default_context(cafile=api.ca_file)
    reader, writer = await asyncio.open_connection(LOOPBACK, api.process.port, ssl=context)
    writer.write(b"GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + token + b"\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] in (b"401", b"400")


@pytest.mark.parametrize(
    "lease",
    [
        {"holder": "a", "epoch": 2**63},
        {"holder": "a", "epoch": 10**40},
        {"holder": "a", "epoch": -1},
        {"holder": "a\x00b"},
        {"holder": "a", "epoch": 1.5},
        {"holder": ["a"]},
        [],
    ],
)
async def test_a_lease_that_cannot_be_is_refused(http: Callable[[ClientSettings], Http], api: Api, lease: Any) -> None:
    caller = http(api.controller("test"))
    for method in ("POST", "DELETE"):
        answer = await caller(method, "/controllers/test/0-of-1/lease", lease)
        assert 400 <= answer.code < 500, answer.text


@pytest.mark.parametrize(
    "value",
    [
        "123456789012345678901234567890",
        "-9223372036854775809",
        '"\\ud800"',
        "1e400",
        "0x" + "f" * 40,
        "9" * 5000,
    ],
)
async def test_values_that_json_or_the_store_cannot_hold_are_refused(admin: Http, name: str, value: str) -> None:
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {value}}}"
    body = {"apiVersion": "threeport.io/v1alpha1", "kind": "Workload", "metadata": {"name": name}}
    answer = await admin.post(f"{NAMESPACED}/workloads", {**body, "spec": {"manifests": [manifest]}})
    assert answer.code in (400, 422), answer.text


async def test_a_runtime_whose_authority_is_no_certificate_is_told_to_who_looks_into_it(admin: Http, name: str) -> None:
    runtime = {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "KubernetesRuntimeInstance",
        "metadata": {"name": name},
        "spec": {
            "definitionRef": {"name": "none"},
            "endpoint": "https://127.0.0.1:1",
            "certificateAuthority": "no certificate",
        },
    }
    instance = {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "WorkloadInstance",
        "metadata": {"name": name},
        "spec": {"definitionRef": {"name": "none"}},
    }
    assert (await admin.post(f"{GROUP}/kubernetesruntimeinstances", runtime)).code == 201
    made = await admin.post(f"{NAMESPACED}/workloadinstances", instance)
    assert made.code == 201, made.text
    path = f"{NAMESPACED}/workloadinstances/{name}"
    assert (await admin.patch(f"{path}/status", {"status": {"runtime": name}})).code == 200
    for subresource in ("pods", "log", "portforward?port=80"):
        answer = await admin.get(f"{path}/{subresource}")
        assert answer.code == 502, answer.text
        assert "certificateAuthority" in answer.json["message"]
