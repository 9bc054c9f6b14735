"""kubectl, the machine's and a current one, against the running API: what people type."""

from __future__ import annotations

import asyncio
import json
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.clients.conftest import READY, labelled

DEADLINE = 60.0
PROGRAMS = {"machine": shutil.which("kubectl"), "current": shutil.which("kubectl", path=sysconfig.get_path("scripts"))}


@dataclass
class Kubectl:
    """One kubectl with the administrator's kubeconfig; `cache` keeps its discovery apart from others'."""

    program: str
    kubeconfig: str
    cache: Path

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """A command under way."""
        return await asyncio.create_subprocess_exec(
            self.program, f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.cache}", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def __call__(self, *arguments: str, document: object = None, fails: bool = False) -> str:
        """What a command that reads `document` writes, errors included."""
        process = await self.start(*arguments)
        text = b"" if document is None else yaml.safe_dump(document).encode()
        async with asyncio.timeout(DEADLINE):
            out, err = await process.communicate(text)
        assert bool(process.returncode) is fails, f"{arguments}: {out.decode()} {err.decode()}"
        return f"{out.decode()}{err.decode()}"


@pytest.fixture(params=sorted(PROGRAMS))
def kubectl(request: pytest.FixtureRequest, kubeconfig: str, tmp_path: Path) -> Kubectl:
    program = PROGRAMS[request.param]
    if program is None:
        pytest.skip(f"there is no kubectl ({request.param})")
    return Kubectl(program, kubeconfig, tmp_path)


async def test_an_object_lives_its_life(kubectl: Kubectl, definition: dict[str, Any], name: str) -> None:
    await kubectl("create", "-f", "-", document=definition)
    watching = await kubectl.start("get", "wd", name, "--watch-only", "--output-watch-events")
    waiting = await kubectl.start("wait", f"workloaddefinition/{name}", "--for=condition=Ready", "--timeout=20s")
    assert name in await kubectl("get", "workloaddefinitions", "-l", f"test={name}")
    await kubectl("patch", "wd", name, "--type=merge", "-p", json.dumps(labelled("gold")))
    await kubectl("patch", "wd", name, "--subresource=status", "--type=merge", "-p", json.dumps(READY))
    assert (await asyncio.wait_for(waiting.wait(), DEADLINE)) == 0
    definition["metadata"]["labels"]["tier"] = "silver"
    await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", document=definition)
    assert "Ready" in await kubectl("describe", "wd", name)
    going = await kubectl.start("wait", f"workloaddefinition/{name}", "--for=delete", "--timeout=20s")
    await kubectl("delete", "wd", name)
    assert (await asyncio.wait_for(going.wait(), DEADLINE)) == 0
    assert watching.stdout
    async with asyncio.timeout(DEADLINE):
        while b"DELETED" not in await watching.stdout.readline():
            pass
    watching.terminate()
    await watching.wait()


async def test_applying_the_same_again_says_that_nothing_has_changed(
    kubectl: Kubectl, definition: dict[str, Any], name: str
) -> None:
    await kubectl("apply", "-f", "-", document=definition)
    assert "unchanged" in await kubectl("apply", "-f", "-", document=definition)
    assert "unchanged" in await kubectl("apply", "-f", "-", "--dry-run=server", document=definition)
    await kubectl("diff", "-f", "-", document=definition)
    definition["metadata"]["labels"]["tier"] = "gold"
    assert "+    tier: gold" in await kubectl("diff", "-f", "-", document=definition, fails=True)


async def test_waiting_for_the_end_of_an_object_does_not_end_with_an_earlier_one(
    kubectl: Kubectl, definition: dict[str, Any], name: str
) -> None:
    for _ in range(2):
        await kubectl("create", "-f", "-", document=definition)
        await kubectl("delete", "wd", name, "--force", "--grace-period=0")
    await kubectl("create", "-f", "-", document=definition)
    said = await kubectl("wait", f"wd/{name}", "--for=delete", "--timeout=1s", fails=True)
    assert "timed out" in said
    watched = await kubectl.start("get", "wd", name, "--watch", "--output-watch-events", "--no-headers")
    assert watched.stdout
    assert (await watched.stdout.readline()).startswith(b"ADDED")
    await kubectl("delete", "wd", name)
    assert (await watched.stdout.readline()).startswith(b"DELETED")
    watched.terminate()
    await watched.wait()


async def test_replacing_by_force_makes_the_object_anew(
    kubectl: Kubectl, definition: dict[str, Any], name: str
) -> None:
    await kubectl("create", "-f", "-", document=definition)
    before = await kubectl("get", "wd", name, "-o", "jsonpath={.metadata.uid}")
    assert "replaced" in await kubectl("replace", "--force", "-f", "-", document=definition)
    assert await kubectl("get", "wd", name, "-o", "jsonpath={.metadata.uid}") != before


async def test_everything_that_can_be_listed_and_explained_is(kubectl: Kubectl) -> None:
    listable = (await kubectl("api-resources", "--verbs=list", "-o", "name")).split()
    assert {"workloads.threeport.io", "namespaces", "events"} <= set(listable)
    assert "selfsubjectreviews.authentication.k8s.io" not in listable
    await kubectl("get", ",".join(listable), "-A", "--ignore-not-found", "--chunk-size=2")
    for resource in (await kubectl("api-resources", "-o", "name")).split():
        assert "FIELDS:" in await kubectl("explain", resource)
    assert "driftPolicy" in await kubectl("explain", "workload.spec", "--recursive")


async def test_what_is_no_part_of_this_api_is_refused_in_plain_words(kubectl: Kubectl) -> None:
    assert "Metrics API not available" in await kubectl("top", "pods", fails=True)
    assert "ok" in await kubectl("get", "--raw", "/healthz")


async def test_categories_group_what_belongs_together(kubectl: Kubectl, definition: dict[str, Any], name: str) -> None:
    await kubectl("create", "-f", "-", document=definition)
    for category in ("threeport", "all"):
        assert f"workloaddefinition.threeport.io/{name}" in await kubectl("get", category)
    assert name not in await kubectl("delete", "all", "-l", f"test={name}-not")
    assert name in await kubectl("delete", "all", "-l", f"test={name}")


async def test_a_caller_asks_what_it_may_do(kubectl: Kubectl) -> None:
    assert "yes" in await kubectl("auth", "can-i", "create", "workloads")
    assert "yes" in await kubectl("auth", "can-i", "*", "*")
    assert "workloads.threeport.io" in await kubectl("auth", "can-i", "--list")
    assert "admin" in await kubectl("auth", "whoami")


async def test_owners_are_deleted_in_the_three_ways(kubectl: Kubectl, definition: dict[str, Any], name: str) -> None:
    for policy, left in (("background", False), ("foreground", False), ("orphan", True)):
        await kubectl("create", "-f", "-", document=definition)
        owner = json.loads(await kubectl("get", "wd", name, "-o", "json"))
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name, "blockOwnerDeletion": True}
        owned = {**definition, "metadata": {"name": f"{name}-owned", "labels": {"of": name}, "namespace": "default"}}
        owned["metadata"]["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"]}]
        await kubectl("create", "-f", "-", document=owned)
        await kubectl("delete", "wd", name, f"--cascade={policy}", "--timeout=20s")
        if left:
            await kubectl("delete", "wd", f"{name}-owned")
        else:
            await kubectl("wait", "wd", "-l", f"of={name}", "--for=delete", "--timeout=20s")
