"""Runtimes: one default at most, however many ask at once, and none goes away under what runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.fixtures.api import Api, ApiProcesses
from tests.integration.apiserver.http import GROUP, Http
from threeport.client.config import ClientSettings

RUNTIMES = f"{GROUP}/kubernetesruntimeinstances"
INSTANCES = f"{GROUP}/namespaces/default/workloadinstances"


def runtime(name: str, *, default: bool = True) -> dict[str, Any]:
    """A KubernetesRuntimeInstance."""
    spec = {"definitionRef": {"name": "d"}, "defaultRuntime": default}
    kind = {"apiVersion": "threeport.io/v1alpha1", "kind": "KubernetesRuntimeInstance"}
    return {**kind, "metadata": {"name": name}, "spec": spec}


async def test_of_many_that_want_to_be_the_default_at_once_one_is(
    api_processes: ApiProcesses, http: Callable[[ClientSettings], Http]
) -> None:
    callers = [http(api.admin) for api in api_processes(2)]
    for round_ in range(5):
        names = [f"r{round_}-{number}" for number in range(8)]
        answers = await asyncio.gather(
            *(callers[index % 2].post(RUNTIMES, runtime(name)) for index, name in enumerate(names))
        )
        assert sorted(answer.code for answer in answers) == [201, *[422] * 7], [answer.text for answer in answers]
        (made,) = (answer.json["metadata"]["name"] for answer in answers if answer.code == 201)
        refused = next(answer for answer in answers if answer.code == 422)
        assert f"is set on '{made}' already" in refused.json["message"]
        off = await callers[0]("PATCH", f"{RUNTIMES}/{made}", {"spec": {"defaultRuntime": False}})
        assert off.code == 200
    # The same by changes of what exists.
    for name in ("x", "y"):
        assert (await callers[0].post(RUNTIMES, runtime(name, default=False))).code == 201
    on = {"spec": {"defaultRuntime": True}}
    answers = await asyncio.gather(*(callers[i]("PATCH", f"{RUNTIMES}/{name}", on) for i, name in enumerate("xy")))
    assert sorted(answer.code for answer in answers) == [200, 422]


async def test_a_name_that_is_too_long_for_the_label_of_reports_is_refused(admin: Http) -> None:
    assert (await admin.post(RUNTIMES, runtime("r" * 63, default=False))).code == 201
    answer = await admin.post(RUNTIMES, runtime("r" * 64, default=False))
    assert answer.code == 422
    assert "must be at most 63 characters long" in answer.json["message"]


async def test_a_transaction_cannot_make_two_defaults(admin: Http, name: str) -> None:
    operations = [{"operation": "create", "object": runtime(f"{name}-{each}")} for each in "ab"]
    answer = await admin.post(f"{GROUP}/transactions", {"operations": operations})
    assert (answer.code, "default-runtime" in answer.json["message"]) == (409, True)
    assert (await admin.get(f"{RUNTIMES}/{name}-a")).code == 404


async def test_a_transaction_moves_the_default_from_one_runtime_to_another(admin: Http, name: str) -> None:
    for each, default in (("a", True), ("b", False)):
        assert (await admin.post(RUNTIMES, runtime(f"{name}-{each}", default=default))).code == 201

    def becomes(each: str, default: bool) -> dict[str, Any]:
        return {"operation": "patch", "object": runtime(f"{name}-{each}", default=default)}

    moving = [becomes("a", False), becomes("b", True)]
    refused = await admin.post(f"{GROUP}/transactions", {"operations": moving[::-1]})
    assert (refused.code, f"is set on '{name}-a' already" in refused.json["message"]) == (422, True)
    moved = await admin.post(f"{GROUP}/transactions", {"operations": moving})
    assert moved.code == 200, moved.text
    found = {each: (await admin.get(f"{RUNTIMES}/{name}-{each}")).json["spec"]["defaultRuntime"] for each in "ab"}
    assert found == {"a": False, "b": True}
    # Or the one goes away, and the other takes over.
    handed_on = [{"operation": "delete", "object": runtime(f"{name}-b")}, becomes("a", True)]
    answer = await admin.post(f"{GROUP}/transactions", {"operations": handed_on})
    assert answer.code == 200, answer.text
    assert (await admin("PATCH", f"{RUNTIMES}/{name}-a", {"spec": {"defaultRuntime": False}})).code == 200


async def test_a_runtime_that_is_used_without_being_named_stays(
    admin: Http, http: Callable[[ClientSettings], Http], api: Api, name: str
) -> None:
    assert (await admin.post(RUNTIMES, runtime(name, default=False))).code == 201
    kind = {"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadInstance"}
    spec = {"definitionRef": {"name": "nothing"}}
    assert (await admin.post(INSTANCES, {**kind, "metadata": {"name": name}, "spec": spec})).code == 201
    placed = await admin("PATCH", f"{INSTANCES}/{name}/status", {"status": {"runtime": name}})
    assert placed.code == 200, placed.text
    refused = await admin("DELETE", f"{RUNTIMES}/{name}")
    assert (refused.code, f"in use by WorkloadInstance default/{name}" in refused.json["message"]) == (409, True)
    assert (await admin("PATCH", f"{INSTANCES}/{name}/status", {"status": {"runtime": None}})).code == 200
    assert (await admin("DELETE", f"{RUNTIMES}/{name}")).code == 200
