"""The GitOps agent on Argo CD's engine (`gitops/main.go`): built once, kept outside the tree, spoken to in JSON.

The build takes about a minute of two cores, less where the test cluster's programs, which share its packages, were
built before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.directories import cache_root, exclusive
from tests.cluster.programs import COMMON_FLAGS

SOURCE = Path(__file__).parent / "gitops"
BUILD_DEADLINE = 1200.0
ANSWER_DEADLINE = 60.0


async def build() -> Path:
    """The program; skips the test where there is no Go, as on machines without a test cluster."""
    if not shutil.which("go"):
        pytest.skip("there is no Go to build the GitOps agent with")
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in ("main.go", "go.mod", "go.sum")))
    directory = cache_root() / f"gitops-agent-{digest.hexdigest()[:12]}"
    program = directory / "gitops-agent"
    with exclusive(directory):
        if not program.exists():
            await _build(program)
    return program


async def _build(program: Path) -> None:
    unfinished = program.with_suffix(f".{os.getpid()}")
    process = await asyncio.create_subprocess_exec(
        "go", "build", *COMMON_FLAGS, "-ldflags", "-s -w", "-o", unfinished, ".",
        cwd=SOURCE, env={**os.environ, "CGO_ENABLED": "0"},
    )  # fmt: skip
    async with asyncio.timeout(BUILD_DEADLINE):
        assert await process.wait() == 0, "go could not build the GitOps agent; its reason is above"
    unfinished.replace(program)


@dataclass
class GitOps:
    """The running agent and the one application that it looks after."""

    application: str
    namespace: str
    _process: asyncio.subprocess.Process

    async def differing(self, manifests: Sequence[Any]) -> set[str]:
        """What of the manifests, as `Kind/name`, is not there as they say."""
        return set((await self._ask(manifests))["Differing"] or ())

    async def sync(self, manifests: Sequence[Any], *, server_side: bool = False) -> dict[str, str]:
        """Makes the namespace like the manifests; what was done, by `Kind/name`."""
        answer = await self._ask(manifests, Sync=True, ServerSideApply=server_side)
        assert not answer["Error"], answer
        results: dict[str, str] = answer["Results"]
        return results

    async def _ask(self, manifests: Sequence[Any], **how: bool) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        place = {"Application": self.application, "Namespace": self.namespace}
        self._process.stdin.write(json.dumps({**place, "Manifests": [*manifests], **how}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_DEADLINE):
            line = await self._process.stdout.readline()
        assert line, "the agent has ended; what it met is said above"
        return json.loads(line)


@asynccontextmanager
async def gitops_agent(kubeconfig: str, *, application: str, namespace: str) -> AsyncIterator[GitOps]:
    """The agent, with its cache of the whole API filled when it first answers."""
    process = await asyncio.create_subprocess_exec(
        await build(), "-kubeconfig", kubeconfig, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield GitOps(application, namespace, process)
    finally:
        process.terminate()
        await process.wait()
