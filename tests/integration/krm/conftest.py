"""A KrmServer over HTTP on real PostgreSQL and NATS, with the catalog of the project and every caller allowed.

The door of a controller is `/controllers/<name>`; `X-Test-Identity` names the caller.
"""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from threeport.common.errors import Forbidden
from threeport.common.revisions import RevisionClock
from threeport.events.broker import BrokerSettings
from threeport.events.service import EventService
from threeport.events.stream import StreamSettings
from threeport.krm.caller import CALLER
from threeport.krm.interfaces import Action, Caller, Identity
from threeport.krm.sealing import Sealer
from threeport.krm.server import KrmServer
from threeport.resources import load_catalog
from threeport.store.changes import Changes
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.outbox import Outbox
from threeport.store.ownership import Ownership
from threeport.store.records import StoredObject

GROUP = "/apis/threeport.io/v1alpha1"
DEADLINE = 60.0


class AllButNobody:
    """Lets everyone do everything, except the identity `nobody`."""

    async def authorize(self, caller: Caller, action: Action, obj: dict[str, Any] | None = None) -> None:
        if caller.identity.name == "nobody":
            raise Forbidden(f"nobody may not {action.verb} {action.kind.resource}")


@dataclass
class Answer:
    """What the server answered."""

    status: int
    body: Any
    headers: Any

    @property
    def revision(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])


@dataclass
class Krm:
    """The running server and ways to talk to it."""

    url: str
    session: aiohttp.ClientSession
    server: KrmServer
    store: SqlObjectStore
    events: EventService
    directory: Path
    written: list[StoredObject] = field(default_factory=list)
    """What the store has committed, in order."""

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        controller: str | None = None,
        raw: bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Sends a request and reads the JSON that comes back."""
        door = f"/controllers/{controller}" if controller else ""
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        async with self.session.request(
            method,
            f"{self.url}{door}{path}",
            data=io.BytesIO(data) if data else None,
            headers={"Content-Type": content_type, **headers},
        ) as response:
            text = await response.text()
            return Answer(response.status, json.loads(text) if text else None, response.headers)

    async def namespace(self, name: str | None = None) -> str:
        """A new namespace."""
        name = name or f"ns-{uuid.uuid4().hex[:8]}"
        answer = await self.call(
            "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
        assert answer.status == 201, answer.body
        return name

    @asynccontextmanager
    async def watch(self, path: str, *, controller: str | None = None, **query: str) -> AsyncIterator[Events]:
        """The events of a watch."""
        door = f"/controllers/{controller}" if controller else ""
        async with self.session.get(f"{self.url}{door}{path}", params={"watch": "true", **query}) as response:
            assert response.status == 200, await response.text()
            yield Events(response)

    async def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """Runs kubectl against the server; returns what it wrote to stdout."""
        config = self.directory / "kubeconfig"
        config.write_text(yaml.safe_dump(_kubeconfig(self.url)))
        process = await asyncio.create_subprocess_exec(
            "kubectl", f"--kubeconfig={config}", f"--cache-dir={self.directory}/cache", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await process.communicate(stdin.encode())
        if check:
            assert process.returncode == 0, f"kubectl {arguments}: {err.decode()} {out.decode()}"
        return out.decode() if check else f"{out.decode()}{err.decode()}"


class Events:
    """The lines of a watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self) -> dict[str, Any]:
        """The next event, within the deadline."""
        async with asyncio.timeout(DEADLINE):
            line = await self._response.content.readline()
        assert line, "the watch has ended"
        event: dict[str, Any] = json.loads(line)
        return event

    async def until(self, accept: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event that is accepted; others are skipped."""
        while not accept(event := await self.next()):
            pass
        return event

    async def ended(self) -> list[dict[str, Any]]:
        """Everything up to the end of the stream."""
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(DEADLINE):
            while line := await self._response.content.readline():
                events.append(json.loads(line))
        return events


def workload(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """A Workload."""
    return {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"manifests": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}], **spec},
    }


def report(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """A WorkloadReport: a kind without controller, so without finalizer."""
    return {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "WorkloadReport",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"instanceRef": {"name": "i"}, "instanceUid": "u", "runtimeRef": {"name": "r"}, **spec},
    }


def collection(namespace: str, plural: str = "workloads") -> str:
    """The path of a collection of the project's group."""
    return f"{GROUP}/namespaces/{namespace}/{plural}"


async def eventually(check: Callable[[], Awaitable[bool]], what: str, seconds: float = DEADLINE) -> None:
    """Waits until `check` holds; fails naming `what` at the deadline."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "default"}}],
        "current-context": "x",
    }


@pytest.fixture
async def krm(database: Database, nats_url: str, tmp_path: Path) -> AsyncIterator[Krm]:
    """The server with a database and a stream of its own, and a namespace `default`."""
    async with running(database, nats_url, tmp_path) as served:
        await served.namespace("default")
        yield served


@asynccontextmanager
async def running(
    database: Database, nats_url: str, directory: Path, admitters: Sequence[Any] = ()
) -> AsyncIterator[Krm]:
    """A server on this database and broker."""
    clock = RevisionClock(1)
    suffix = uuid.uuid4().hex[:8]
    stream = StreamSettings(name=f"KRM_{suffix}", prefix=f"krm_{suffix}")
    events = EventService(
        BrokerSettings(servers=(nats_url,), stream=stream),
        outbox=Outbox(database),
        changes=Changes(database),
        clock=clock.read,
    )
    written: list[StoredObject] = []

    def on_commit(stored: Sequence[StoredObject]) -> None:
        written.extend(stored)
        events.committed(stored)

    store = SqlObjectStore(database, clock, on_commit=on_commit)
    server = KrmServer(
        load_catalog(),
        store,
        events.hub,
        authorizer=AllButNobody(),
        secrecy=Sealer(b"k" * 32),
        admitters=admitters,
        transactions=True,
        namespace_grace=1.5,
        ownership=Ownership(database),
    )
    app = web.Application(middlewares=[_caller])
    app.add_routes([*server.routes(), *server.routes("/controllers/{controller}")])
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await events.open()
    await server.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE)) as session:
        yield Krm(f"http://127.0.0.1:{port}", session, server, store, events, directory, written)
    await server.close()
    await runner.cleanup()
    await events.close()


@web.middleware
async def _caller(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    identity = Identity(request.headers.get("X-Test-Identity", "admin"))
    request[CALLER] = Caller(identity, controller=request.match_info.get("controller"))
    return await handler(request)
