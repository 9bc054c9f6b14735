"""An unmodified kopf operator works against the server, with one PATCH for a reconcile."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.krm.conftest import Krm, collection, eventually, workload

OPERATOR = Path(__file__).with_name("operator_of_reports.py")
PATH = collection("default")
MERGE = "application/merge-patch+json"


@asynccontextmanager
async def operator(krm: Krm, *, streaming: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
    """The operator, running against the controllers' door."""
    log = (krm.directory / "kopf.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kopf", "run", "--all-namespaces", "--standalone", str(OPERATOR),
        env={**os.environ, "TEST_SERVER": f"{krm.url}/controllers/workload", "TEST_STREAMING": str(int(streaming))},
        stdout=log, stderr=log,
    )  # fmt: skip
    try:
        yield process
        assert process.returncode is None, (krm.directory / "kopf.log").read_text()
    finally:
        log.close()
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def handled(krm: Krm, name: str, generation: int, runtime: str) -> None:
    async def check() -> bool:
        status = (await krm.call("GET", f"{PATH}/{name}")).body.get("status", {})
        return bool(status.get("observedGeneration") == generation and status.get("runtime") == runtime)

    await eventually(check, f"generation {generation} of {name} to be handled")


@pytest.mark.parametrize("streaming", [False, True], ids=["list-watch", "streaming-list"])
async def test_kopf_creates_updates_retries_and_deletes(krm: Krm, streaming: bool) -> None:
    await krm.call("POST", PATH, workload("before", "default"))
    async with operator(krm, streaming=streaming):
        await handled(krm, "before", 1, "none")
        first = len(krm.written)
        await krm.call("POST", PATH, workload("w", "default", runtimeRef={"name": "a"}))
        await handled(krm, "w", 1, "a")
        assert len(krm.written) - first == 2, "a create and one PATCH"
        await krm.call("PATCH", f"{PATH}/w", {"spec": {"runtimeRef": {"name": "b"}}}, content_type=MERGE)
        await handled(krm, "w", 2, "b")
        retried = workload("again", "default")
        retried["metadata"]["labels"] = {"try": "twice"}
        await krm.call("POST", PATH, retried)
        await handled(krm, "again", 1, "none")
        await krm.call("DELETE", f"{PATH}/w")

        async def gone() -> bool:
            return (await krm.call("GET", f"{PATH}/w")).status == 404

        await eventually(gone, "the deleted object to go")


async def test_kopf_goes_on_where_it_was_after_its_watches_are_cut(krm: Krm) -> None:
    async with operator(krm):
        await krm.call("POST", PATH, workload("one", "default"))
        await handled(krm, "one", 1, "none")
        krm.server.cut_watches(lambda caller: True)
        await krm.call("POST", PATH, workload("two", "default"))
        await handled(krm, "two", 1, "none")


async def test_kopf_leaves_a_converged_object_alone(krm: Krm) -> None:
    await krm.call("POST", PATH, workload("w", "default"))
    async with operator(krm):
        await handled(krm, "w", 1, "none")
        settled = (await krm.call("GET", f"{PATH}/w")).revision
        other = await krm.namespace()
        await krm.call("POST", collection(other), workload("later", other))

        async def later() -> bool:
            return "status" in (await krm.call("GET", f"{collection(other)}/later")).body

        await eventually(later, "the later object to be handled")
    assert (await krm.call("GET", f"{PATH}/w")).revision == settled
