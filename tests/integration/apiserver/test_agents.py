"""An agent is confined to the reports of its own runtime, by every way in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import pytest

from tests.fixtures.api import Api
from tests.integration.apiserver.http import GROUP, Http
from threeport.apiserver import identities
from threeport.client.config import ClientSettings
from threeport.kube.labels import RUNTIME_LABEL
from threeport.resources.workload import report_name

MakeHttp = Callable[[ClientSettings], Http]
REPORTS = f"{GROUP}/namespaces/default/workloadreports"
RUNTIMES = f"{GROUP}/kubernetesruntimeinstances"


def named(instance: str, runtime: str) -> str:
    return report_name(instance, "u", runtime)


def report(instance: str, runtime: str, *, name: str = "", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "WorkloadReport",
        "metadata": {"name": name or named(instance, runtime), "namespace": "default"},
        "spec": {"instanceRef": {"name": instance}, "instanceUid": "u", "runtimeRef": {"name": runtime}, **spec},
    }


def runtime(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "KubernetesRuntimeInstance",
        "metadata": {"name": name},
        "spec": {"definitionRef": {"name": "d"}, "token": "c4n4ry-of-a-runtime", "endpoint": "https://localhost"},
    }


def selected(runtime: str) -> str:
    return f"labelSelector={RUNTIME_LABEL}%3D{runtime}"


@pytest.fixture
async def mine(http: MakeHttp, api: Api, name: str) -> Http:
    return http(api.agent(f"{name}-a"))


@pytest.fixture
async def theirs(http: MakeHttp, api: Api, name: str) -> Http:
    """The other agent; its report, on an instance with the name of the test, is there."""
    other = http(api.agent(f"{name}-b"))
    created = await other.post(REPORTS, report(name, f"{name}-b", message="secret of b"))
    assert created.code == 201, created.text
    assert created.json["metadata"]["labels"] == {RUNTIME_LABEL: f"{name}-b"}
    return other


async def test_an_agent_writes_reads_lists_and_deletes_its_own_reports(mine: Http, name: str) -> None:
    runtime = f"{name}-a"
    assert (await mine.post(REPORTS, report(name, runtime))).code == 201
    assert (await mine.get(f"{REPORTS}/{named(name, f'{name}-a')}")).json["spec"]["runtimeRef"]["name"] == runtime
    assert (await mine.patch(f"{REPORTS}/{named(name, f'{name}-a')}", {"spec": {"health": "Healthy"}})).json["spec"][
        "health"
    ] == "Healthy"
    listed = await mine.get(f"{GROUP}/workloadreports?{selected(runtime)}")
    assert [item["metadata"]["name"] for item in listed.json["items"]] == [named(name, runtime)]
    assert (await mine.delete(f"{REPORTS}/{named(name, f'{name}-a')}")).code == 200


async def test_the_report_of_another_agent_looks_like_one_that_does_not_exist(
    mine: Http, theirs: Http, name: str
) -> None:
    changed = report(name, f"{name}-b", message="forged")
    there, absent = named(name, f"{name}-b"), f"{name}-none"
    for method, body in (("GET", None), ("PUT", changed), ("PATCH", {"spec": {"message": "x"}}), ("DELETE", None)):
        foreign = await mine(method, f"{REPORTS}/{there}", body)
        missing = await mine(
            method,
            f"{REPORTS}/{absent}",
            {**changed, "metadata": {"name": absent, "namespace": "default"}} if body else None,
        )
        assert foreign.code == missing.code == 404, (method, foreign.text)
        assert foreign.text.replace(there, "x") == missing.text.replace(absent, "x")
    assert (await theirs.get(f"{REPORTS}/{there}")).json["spec"]["message"] == "secret of b"


async def test_an_agent_cannot_take_over_a_report_by_claiming_its_runtime(mine: Http, theirs: Http, name: str) -> None:
    there = named(name, f"{name}-b")
    claim = report(name, f"{name}-a", name=there)
    assert (await mine.put(f"{REPORTS}/{there}", claim)).code == 404
    assert (await mine.patch(f"{REPORTS}/{there}", {"spec": {"runtimeRef": {"name": f"{name}-a"}}})).code == 404
    applied = await mine(
        "PATCH", f"{REPORTS}/{there}?fieldManager=x&force=true", claim, Content_Type="application/apply-patch+yaml"
    )
    assert applied.code == 404
    assert (await theirs.get(f"{REPORTS}/{there}")).json["spec"]["runtimeRef"]["name"] == f"{name}-b"


async def test_an_agent_makes_no_report_in_the_name_of_another_runtime(mine: Http, name: str) -> None:
    assert (await mine.post(REPORTS, report(name, f"{name}-b"))).code == 403
    mislabelled = report(name, f"{name}-a")
    mislabelled["metadata"]["labels"] = {RUNTIME_LABEL: f"{name}-b"}
    assert (await mine.post(REPORTS, mislabelled)).code == 422
    assert (await mine.post(REPORTS, report(name, f"{name}-a"))).code == 201
    for change in (
        {"spec": {"runtimeRef": {"name": f"{name}-b"}}},
        {"metadata": {"labels": {RUNTIME_LABEL: f"{name}-b"}}},
        {"metadata": {"labels": {RUNTIME_LABEL: None}}, "spec": {"runtimeRef": {"name": f"{name}-b"}}},
    ):
        assert (await mine.patch(f"{REPORTS}/{named(name, f'{name}-a')}", change)).code in (403, 404, 422)
    kept = (await mine.get(f"{REPORTS}/{named(name, f'{name}-a')}")).json
    assert kept["metadata"]["labels"] == {RUNTIME_LABEL: f"{name}-a"}


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "labelSelector=",
        f"labelSelector={RUNTIME_LABEL}",
        f"labelSelector={RUNTIME_LABEL}+in+({{a}},{{b}})",
        f"labelSelector={RUNTIME_LABEL}%3D{{b}}",
        f"labelSelector={RUNTIME_LABEL}!%3D{{a}}",
        f"labelSelector=a%3Db&labelSelector={RUNTIME_LABEL}%3D{{b}}",
        "fieldSelector=metadata.name%3D{name}",
    ],
)
async def test_lists_and_watches_show_an_agent_only_its_own_reports(
    mine: Http, theirs: Http, name: str, selector: str
) -> None:
    query = selector.format(a=f"{name}-a", b=f"{name}-b", name=name)
    for path in (REPORTS, f"{GROUP}/workloadreports"):
        for watch in ("", "&watch=true&timeoutSeconds=1"):
            answer = await mine.get(f"{path}?{query}{watch}")
            assert answer.code == 403, answer.text
            assert "secret of b" not in answer.text
    assert (await mine.get(f"{REPORTS}?{selected(f'{name}-a')}")).json["items"] == []


async def test_an_agent_cannot_take_the_name_that_the_report_of_another_runtime_will_have(
    mine: Http, http: MakeHttp, api: Api, name: str
) -> None:
    theirs, to_be = http(api.agent(f"{name}-b")), named(name, f"{name}-b")
    squat = report(name, f"{name}-a", name=to_be)
    applied = f"{REPORTS}/{to_be}?fieldManager=x"
    for refused in (
        await mine.post(REPORTS, squat),
        await mine.put(f"{REPORTS}/{to_be}", squat),
        await mine("PATCH", applied, squat, Content_Type="application/apply-patch+yaml"),
        await mine.post(REPORTS, {**squat, "metadata": {"generateName": f"{name}-", "namespace": "default"}}),
        await mine.post(f"{GROUP}/transactions", {"operations": [{"operation": "create", "object": squat}]}),
    ):
        assert refused.code in (404, 422), refused.text
    assert named(name, f"{name}-a") in (await mine.post(REPORTS, squat)).text, "it says which name is wanted"
    assert (await theirs.post(REPORTS, report(name, f"{name}-b"))).code == 201
    assert (await mine.post(REPORTS, report(name, f"{name}-a"))).code == 201
    moved = {"spec": {"instanceUid": "of-another"}}
    assert (await mine.patch(f"{REPORTS}/{named(name, f'{name}-a')}", moved)).code == 422


async def test_a_watch_tells_an_agent_nothing_of_others(mine: Http, theirs: Http, name: str) -> None:
    watching = asyncio.create_task(mine.get(f"{REPORTS}?{selected(f'{name}-a')}&watch=true&timeoutSeconds=2"))
    await theirs.patch(f"{REPORTS}/{named(name, f'{name}-b')}", {"spec": {"message": "another secret of b"}})
    await mine.post(REPORTS, report(name, f"{name}-a"))
    seen = (await watching).text
    events = [orjson.loads(line) for line in seen.splitlines()]
    assert {event["object"]["metadata"]["name"] for event in events} == {named(name, f"{name}-a")}
    assert "secret of b" not in seen


async def test_everything_else_is_closed_to_an_agent(mine: Http, admin: Http, name: str) -> None:
    assert (await admin.post(f"{RUNTIMES}", runtime(f"{name}-b"))).code == 201
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": {}, "type": "Normal"}
    refused = [
        await mine.get(f"{GROUP}/workloads"),
        await mine.get(f"{GROUP}/namespaces/default/workloads/{name}"),
        await mine.get("/api/v1/namespaces"),
        await mine.get("/api/v1/namespaces/default"),
        await mine.get(RUNTIMES),
        await mine.get(f"{RUNTIMES}?watch=true"),
        await mine.get(f"{RUNTIMES}/{name}-b"),
        await mine.post(f"{RUNTIMES}/{name}-b/agenttoken", {}),
        await mine.post("/api/v1/namespaces/default/events", event),
        await mine.delete(REPORTS),
        await mine.patch(f"{RUNTIMES}/{name}-b/status", {"status": {}}),
        await mine.get("/controllers/workload/0-of-1/1/api"),
        await mine.post("/controllers/workload/0-of-1/lease", {"holder": "x", "epoch": None}),
    ]
    assert [answer.code for answer in refused] == [403] * len(refused)


async def test_a_refusal_is_the_same_whether_the_name_exists_or_not(mine: Http, admin: Http, name: str) -> None:
    assert (await admin.post(f"{RUNTIMES}", runtime(f"{name}-b"))).code == 201
    there, missing = await mine.get(f"{RUNTIMES}/{name}-b"), await mine.get(f"{RUNTIMES}/{name}-c")
    assert there.text == missing.text.replace(f"{name}-c", f"{name}-b")


async def test_a_transaction_is_no_way_around(mine: Http, theirs: Http, name: str) -> None:
    for operation in (
        {"operation": "delete", "object": report(name, f"{name}-b")},
        {"operation": "create", "object": report(f"{name}-new", f"{name}-b")},
        {"operation": "apply", "object": report(name, f"{name}-a", name=named(name, f"{name}-b"))},
        {"operation": "apply", "object": report(name, f"{name}-b", message="forged")},
    ):
        answer = await mine.post(f"{GROUP}/transactions", {"operations": [operation]})
        assert answer.code in (403, 404), answer.text
    assert (await theirs.get(f"{REPORTS}/{named(name, f'{name}-b')}")).json["spec"]["message"] == "secret of b"


async def test_an_agent_reads_its_own_runtime_without_the_secrets_in_it(mine: Http, admin: Http, name: str) -> None:
    assert (await admin.post(RUNTIMES, runtime(f"{name}-a"))).code == 201
    seen = await mine.get(f"{RUNTIMES}/{name}-a")
    assert seen.json["spec"]["token"].startswith("redacted:")
    for query in ("reveal=true", "reveal=1"):
        answer = await mine.get(f"{RUNTIMES}/{name}-a?{query}")
        assert answer.code == 403
        assert "c4n4ry" not in answer.text


async def test_a_token_dies_with_its_runtime(mine: Http, admin: Http, http: MakeHttp, api: Api, name: str) -> None:
    assert (await admin.post(RUNTIMES, runtime(name))).code == 201
    installer = http(api.controller("kubernetes-runtime"))
    made = await installer.post(f"{RUNTIMES}/{name}/agenttoken", {})
    assert made.code == 201
    agent = http(ClientSettings(url=api.url, ca_file=str(api.ca_file), token=made.json["token"]))
    assert (await agent.get(f"{REPORTS}?{selected(name)}")).code == 200
    async with asyncio.timeout(20):
        watch = asyncio.create_task(agent.get(f"{REPORTS}?{selected(name)}&watch=true&timeoutSeconds=60"))
        assert (await admin.delete(f"{RUNTIMES}/{name}")).code == 200
        await admin.patch(f"{RUNTIMES}/{name}", {"metadata": {"finalizers": None}})
        assert (await admin.post(RUNTIMES, runtime(name))).code == 201
        while (await agent.get(f"{REPORTS}?{selected(name)}")).code != 401:
            await asyncio.sleep(0.2)
        await asyncio.wait({watch})
    again = await installer.post(f"{RUNTIMES}/{name}/agenttoken", {})
    renewed = http(ClientSettings(url=api.url, ca_file=str(api.ca_file), token=again.json["token"]))
    assert (await renewed.get(f"{REPORTS}?{selected(name)}")).code == 200


async def test_a_watch_ends_when_the_token_that_opened_it_expires(http: MakeHttp, api: Api, name: str) -> None:
    token = api.tokens.issue(identities.agent(name), lifetime=3)
    agent = http(ClientSettings(url=api.url, ca_file=str(api.ca_file), token=token))
    async with asyncio.timeout(15):
        path = f"{REPORTS}?{selected(name)}&watch=true&timeoutSeconds=60"
        with contextlib.suppress(aiohttp.ClientError):
            assert (await agent.get(path)).code in (200, 401)
        assert (await agent.get(f"{REPORTS}?{selected(name)}")).code == 401


async def test_an_agent_refers_to_nothing_where_it_may_not_read(mine: Http, admin: Http, name: str) -> None:
    there = {"name": name, "namespace": f"{name}-other"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": there["namespace"]}}
    assert (await admin.post("/api/v1/namespaces", namespace)).code == 201
    made = await mine.post(REPORTS, report(name, f"{name}-a", instanceRef=there))
    assert made.code == 403, made.text
    assert (await mine.post(REPORTS, report(name, f"{name}-a"))).code == 201
    changed = await mine.patch(f"{REPORTS}/{named(name, f'{name}-a')}", {"spec": {"instanceRef": there}})
    assert changed.code == 403, changed.text


async def test_only_the_installer_gets_agent_tokens(http: MakeHttp, api: Api, admin: Http, name: str) -> None:
    path = f"{RUNTIMES}/{name}/agenttoken"
    assert (await admin.post(RUNTIMES, runtime(name))).code == 201
    assert (await http(api.controller("workload")).post(path, {})).code == 403
    assert (await http(api.controller("kubernetes-runtime")).get(path)).code in (403, 405)
    assert (await http(api.controller("kubernetes-runtime")).post(f"{RUNTIMES}/{name}-none/agenttoken", {})).code == 404
