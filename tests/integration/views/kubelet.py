"""A kubelet, as far as kube-apiserver asks it for logs and ports: the node's HTTPS server, without containers.

The test cluster's nodes are simulated and serve nothing. A Node object whose address is this server makes the whole way
real: our API asks kube-apiserver, which asks the node. Paths and messages are those of the kubelet
(``pkg/kubelet/server/server.go``, ``pkg/kubelet/portforward/websocket.go``).
"""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import threading
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

from tests.cluster.provision import Cluster
from threeport.bootstrap.local.identities import CertificateFiles

NODE = "views"
LABEL = {"threeport.io/test-node": NODE}
PLACED = {
    "nodeSelector": LABEL,
    "tolerations": [{"key": "threeport.io/test-node", "operator": "Exists"}],
}
"""What the spec of a pod needs to be put on this node; nothing else is."""


class Kubelet:
    """Runs in a thread of its own; `write` gives containers something to say."""

    def __init__(self, certificate: CertificateFiles, backend_port: int) -> None:
        self.requests: list[str] = []
        self._backend_port = backend_port
        self._lines: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
        self._ended: set[tuple[str, str]] = set()
        self._cuts: Counter[tuple[str, str]] = Counter()
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self.port = 0

    def start(self) -> None:
        """Listens."""
        self._thread.start()
        assert self._started.wait(10)

    def stop(self) -> None:
        """Ends all connections."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def write(self, pod: str, container: str, text: str, *, ago: float = 0.0) -> None:
        """A line that a container writes now, or wrote some seconds ago."""
        self._lines[pod, container].append((time.time() - ago, text))

    def end(self, pod: str, container: str) -> None:
        """The container has ended: whoever follows its log has seen all of it."""
        self._ended.add((pod, container))

    def cut(self, pod: str, container: str) -> None:
        """Ends what is followed of a log, as when a kubelet is restarted; the container goes on."""
        self._cuts[pod, container] += 1

    def register(self, cluster: Cluster) -> None:
        """Makes the node known to the cluster, as Ready."""
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": now, "lastTransitionTime": now,
                 "reason": "KubeletReady", "message": "serves logs and ports"}  # fmt: skip
        room = {"cpu": "64", "memory": "256Gi", "pods": "110"}
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
            "conditions": [ready],
            "allocatable": room,
            "capacity": room,
        }
        taint = {"key": "threeport.io/test-node", "value": NODE, "effect": "NoSchedule"}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": LABEL},
                "spec": {"taints": [taint]}, "status": status}  # fmt: skip
        cluster.kubectl("create", "-f", "-", manifest=json.dumps(node))
        cluster.kubectl("wait", "node", NODE, "--for=condition=Ready", "--timeout=30s")

    async def _serve(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificate.certificate, self._certificate.key)
        app = web.Application()
        app.add_routes([
            web.get("/containerLogs/{namespace}/{pod}/{container}", self._log),
            web.get("/portForward/{namespace}/{pod}", self._port),
        ])  # fmt: skip
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = runner.addresses[0][1]
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()
        await asyncio.sleep(0.25)  # connections with TLS close a little later (aiohttp, "Graceful shutdown")

    async def _log(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        key = request.match_info["pod"], request.match_info["container"]
        lines = self._lines[key]
        query = request.query
        since = time.time() - int(query["sinceSeconds"]) if "sinceSeconds" in query else 0.0
        if "sinceTime" in query:
            since = datetime.fromisoformat(query["sinceTime"]).timestamp()
        cuts = self._cuts[key]
        chosen = [line for line in lines if line[0] >= since]
        if "tailLines" in query:
            chosen = chosen[len(chosen) - min(len(chosen), int(query["tailLines"])) :]
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        sent = len(lines)
        for line in chosen:
            await response.write(_rendered(line))
        while query.get("follow") == "true" and request.transport is not None and not request.transport.is_closing():
            for line in lines[sent:]:
                await response.write(_rendered(line))
            sent = len(lines)
            if key in self._ended or self._cuts[key] > cuts:
                break
            await asyncio.sleep(0.05)
        return response

    async def _port(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        port = int(request.query["port"])
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        for channel in (0, 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
        if port != 80:
            await socket.send_bytes(b"\x01" + f"nothing listens on {port}".encode())
            await socket.close()
            return socket
        reader, writer = await asyncio.open_connection("127.0.0.1", self._backend_port)
        back = asyncio.create_task(_copy_back(reader, socket))
        async for message in socket:
            if message.type is WSMsgType.BINARY and message.data[0] == 0:
                writer.write(message.data[1:])
        back.cancel()
        writer.close()
        return socket


async def _copy_back(reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
    while data := await reader.read(32 * 1024):
        await socket.send_bytes(b"\x00" + data)
    await socket.close()


def _rendered(line: tuple[float, str]) -> bytes:
    return f"{datetime.fromtimestamp(line[0], UTC).isoformat(timespec='microseconds')[:-6]}000Z {line[1]}\n".encode()


def deployment(name: str, *, replicas: int = 1, containers: tuple[str, ...] = ("main",)) -> dict[str, Any]:
    """A Deployment whose pods are put on the node of a `Kubelet`."""
    labels = {"app": name}
    made = [{"name": each, "image": "example.org/none:1"} for each in containers]
    made[0]["ports"] = [{"name": "http", "containerPort": 80}]  # type: ignore[assignment]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {**PLACED, "containers": made}},
        },
    }


def service(name: str) -> dict[str, Any]:
    """A Service before it, on port 8080."""
    ports = [{"port": 8080, "targetPort": "http"}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": ports}}  # fmt: skip
