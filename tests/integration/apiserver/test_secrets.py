"""A canary in every sensitive field is found nowhere: answers, database, stream, logs, events, metrics, errors."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from tests.fixtures.api import Api
from tests.integration.apiserver.http import GROUP, Answer, Http
from threeport.bootstrap.local.nats import NatsServer
from threeport.client.config import ClientSettings
from threeport.krm.sealing import LAST_APPLIED

MakeHttp = Callable[[ClientSettings], Http]
WORKLOADS = f"{GROUP}/namespaces/default/workloads"
RUNTIMES = f"{GROUP}/kubernetesruntimeinstances"


@pytest.fixture
def canary() -> str:
    return f"c4n4ry{uuid.uuid4().hex}"


def spellings(canary: str) -> list[bytes]:
    """The canary in clear, and in base64 at each of the three offsets it can have."""
    found = [canary.encode()]
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + canary.encode())
        found.append(encoded[4 if offset else 0 : -4])
    return found


def manifests(canary: str) -> list[Any]:
    encoded = base64.b64encode(canary.encode()).decode()
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: t}}\nstringData:\n  k: {canary}\ndata:\n  e: {encoded}\n"
    plain = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "o"}, "data": {"e": encoded}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [{**plain, "metadata": {"name": "l"}}]}
    annotated = {**plain, "metadata": {"name": "a", "annotations": {LAST_APPLIED: orjson.dumps(plain).decode()}}}
    return [text, plain, listed, annotated]


def workload(name: str, canary: str) -> dict[str, Any]:
    made = {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"manifests": manifests(canary)},
    }
    annotations = {LAST_APPLIED: orjson.dumps(made).decode()}
    return {**made, "metadata": {"name": name, "namespace": "default", "annotations": annotations}}


def runtime(name: str, canary: str) -> dict[str, Any]:
    return {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "KubernetesRuntimeInstance",
        "metadata": {"name": name},
        "spec": {"definitionRef": {"name": "d"}, "token": canary, "clientKey": f"KEY {canary}"},
    }


async def everything_written_and_read(admin: Http, name: str, canary: str) -> list[Answer]:
    """The answers to a tour through all verbs, good and bad, with the canary in all sensitive fields."""
    one, many = f"{WORKLOADS}/{name}", f"{RUNTIMES}/{name}"
    wrong = {**runtime(name, canary), "spec": {"token": canary, "nonsense": canary, "endpoint": canary}}
    broken = workload(name, canary)
    broken["spec"]["manifests"] = [f"apiVersion: v1\nkind: Secret\nstringData:\n  k: '{canary}\n"]
    watch = asyncio.create_task(admin.get(f"{WORKLOADS}?watch=true&timeoutSeconds=3"))
    return [
        await admin.post(f"{WORKLOADS}?dryRun=All", workload(name, canary)),
        await admin.post(WORKLOADS, workload(name, canary)),
        await admin.post(WORKLOADS, workload(name, canary)),
        await admin.post(RUNTIMES, runtime(name, canary)),
        await admin.put(one, workload(name, canary)),
        await admin.patch(many, {"spec": {"token": f"{canary}-2", "clientKey": [canary]}}),
        await admin.patch(many, {"spec": {"token": f"{canary}-2"}}),
        await admin.patch(many, {"spec": {"token": f"sealed:{canary}"}}),
        await admin.patch(many, {"spec": {"token": {"a": canary}}}),
        await admin.put(many, wrong),
        await admin.post(f"{WORKLOADS}?fieldValidation=Strict", broken),
        await admin(
            "PATCH",
            f"{one}?fieldManager=m&force=true",
            workload(name, canary),
            Content_Type="application/apply-patch+yaml",
        ),
        await admin(
            "PATCH",
            one,
            [{"op": "test", "path": "/spec/manifests/0/stringData/k", "value": canary}],
            Content_Type="application/json-patch+json",
        ),
        await admin.post(
            f"{GROUP}/transactions", {"operations": [{"operation": "apply", "object": workload(name, canary)}]}
        ),
        await admin.post(
            f"{GROUP}/transactions", {"operations": [{"operation": "create", "object": workload(name, canary)}]}
        ),
        await admin.get(one),
        await admin.get(many),
        await admin.get(WORKLOADS),
        await admin.get(WORKLOADS, Accept="application/json;as=Table;v=v1;g=meta.k8s.io"),
        await admin.get(f"{WORKLOADS}?fieldSelector=spec.token%3D{canary}"),
        await admin.delete(one),
        await admin.get("/api/v1/events"),
        await watch,
    ]


async def test_a_canary_in_every_sensitive_field_shows_nowhere(
    admin: Http, api: Api, name: str, canary: str, nats_server: NatsServer, postgres_dsn: str
) -> None:
    answers = await everything_written_and_read(admin, name, canary)
    assert [answer.code for answer in answers[:6]] == [201, 201, 409, 201, 200, 422]
    metrics = await admin.get("/metrics")
    for spelling in spellings(canary):
        for answer in [*answers, metrics]:
            assert spelling not in answer.text.encode(), answer.text
            assert spelling not in repr(answer.headers).encode()
        assert spelling not in api.log.read_bytes()
        assert spelling not in nats_server.log.read_bytes()
        assert not await asyncio.to_thread(files_with, nats_server.directory, spelling)
        assert not tables_with(postgres_dsn, api.schema, spelling)
    assert name.encode() in b"".join(path.read_bytes() for path in nats_server.directory.rglob("*.blk"))


async def test_those_who_may_see_a_secret_see_it_when_they_ask(
    admin: Http, http: MakeHttp, api: Api, name: str, canary: str
) -> None:
    assert (await admin.post(RUNTIMES, runtime(name, canary))).code == 201
    assert (await admin.post(WORKLOADS, workload(name, canary))).code == 201
    for caller in (admin, http(api.controller("workload"))):
        assert (await caller.get(f"{RUNTIMES}/{name}?reveal=true")).json["spec"]["token"] == canary
        revealed = (await caller.get(f"{WORKLOADS}/{name}?reveal=true")).json["spec"]["manifests"]
        assert revealed[0]["stringData"]["k"] == canary
        assert (await caller.get(f"{RUNTIMES}/{name}")).json["spec"]["token"].startswith("redacted:")


async def test_reading_and_writing_back_keeps_secrets_and_a_second_time_changes_nothing(
    admin: Http, name: str, canary: str
) -> None:
    assert (await admin.post(WORKLOADS, workload(name, canary))).code == 201
    read = (await admin.get(f"{WORKLOADS}/{name}")).json
    written = (await admin.put(f"{WORKLOADS}/{name}", read)).json
    assert written["metadata"]["resourceVersion"] == read["metadata"]["resourceVersion"]
    again = (await admin.put(f"{WORKLOADS}/{name}", workload(name, canary))).json
    assert again["metadata"]["generation"] == read["metadata"]["generation"]
    revealed = (await admin.get(f"{WORKLOADS}/{name}?reveal=true")).json["spec"]["manifests"]
    assert revealed[0]["stringData"]["k"] == canary


async def test_a_changed_secret_shows_as_a_change(admin: Http, name: str, canary: str) -> None:
    before = (await admin.post(RUNTIMES, runtime(name, canary))).json
    after = (await admin.patch(f"{RUNTIMES}/{name}", {"spec": {"token": f"{canary}-new"}})).json
    assert before["spec"]["token"] != after["spec"]["token"]
    assert before["spec"]["clientKey"] == after["spec"]["clientKey"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1


async def test_a_placeholder_of_another_object_is_refused_with_what_to_do(admin: Http, name: str, canary: str) -> None:
    other = (await admin.post(RUNTIMES, runtime(name, canary))).json["spec"]["token"]
    refused = await admin.post(RUNTIMES, runtime(f"{name}-b", other))
    assert refused.code == 422
    assert refused.json["details"]["causes"][0]["field"] == "spec.token"
    assert "give the value" in refused.json["message"]


def files_with(directory: Path, canary: bytes) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and canary in path.read_bytes()]


def tables_with(dsn: str, schema: str, canary: bytes) -> list[str]:
    """Tables with a row that holds the canary in any column."""
    found = []
    with psycopg.connect(dsn) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]).fetchall()
        assert {"objects", "outbox", "tombstones"} <= {table for (table,) in tables}
        for (table,) in tables:
            query = f"SELECT 1 FROM {schema}.{table} AS t WHERE strpos(t::text, %s) > 0"
            if connection.execute(query.encode(), [canary.decode()]).fetchone():
                found.append(table)
    return found
