"""What `tests.bench.workloads` measures: an API, shards of the workload controller, agents, real clusters.

Several runtimes share a cluster: each has an agent of its own, which reports only what its runtime put there.
"""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.bench.servers import TEST_CLUSTER, installation
from tests.bench.usage import Part, Usage, usage_of
from tests.bench.workloads.latency import Distance, distance_to
from tests.cluster.record import load
from tests.fixtures.api import Api
from tests.fixtures.controllers import Agents, ControllerProcess
from tests.integration.operators.conftest import access_from
from threeport.bootstrap.local.processes import LOOPBACK, ServerFailed, free_port, wait_until
from threeport.kube.access import ClusterAccess

_SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$", re.MULTILINE)


@dataclass
class Fleet:
    """A control plane and its clusters, as processes."""

    home: Path
    api: Api
    accesses: list[ClusterAccess]
    """The administrator's way into each cluster."""
    distances: list[Distance]
    """The ways to the clusters that can be made long."""
    servers: Mapping[str, Part]
    """The processes of the control plane but for its controllers."""
    kubernetes: list[int]
    """All processes of all clusters, simulated nodes included."""
    agents: Agents
    runtimes: ControllerProcess
    workloads: list[ControllerProcess] = field(default_factory=list)
    _ports: list[int] = field(default_factory=list)
    _read: list[int] = field(default_factory=list)
    """How long the log of each shard was before it started."""

    def start_workload_controllers(self, count: int, *, places: int | None = None) -> None:
        """Starts the workload controller in `count` shards; each has at most `places` reconciles under way."""
        for index in range(count):
            port = free_port()
            settings = {
                "THREEPORT_SHARDS": str(count),
                "THREEPORT_SHARD": str(index),
                "THREEPORT_METRICS_PORT": str(port),
                **({"THREEPORT_RECONCILES": str(places)} if places else {}),
            }
            process = ControllerProcess(self.home / f"workload-{index}", self.api, ("workload",), settings)
            self._read.append(process.log.stat().st_size if process.log.exists() else 0)
            process.start()
            self.workloads.append(process)
            self._ports.append(port)

    def stop_workload_controllers(self) -> None:
        """Ends all shards in order."""
        for process in self.workloads:
            process.stop()
        self.workloads.clear()
        self._ports.clear()
        self._read.clear()

    async def hold_leases(self) -> bool:
        """Whether all shards are at work. Those of another count wait 25 s for the leases of the former ones."""
        logs = [process.log.read_bytes()[read:] for process, read in zip(self.workloads, self._read, strict=True)]
        return all(b"holds shard" in log for log in logs)

    def way_to(self, cluster: int, *, afar: bool = False) -> ClusterAccess:
        """The access to a cluster that runtimes get: the direct one, or through what can make it long, which itself
        takes CPU time."""
        access = self.accesses[cluster]
        if not afar:
            return access
        name = str(urlsplit(access.endpoint).hostname)
        return replace(access, endpoint=f"https://{LOOPBACK}:{self.distances[cluster].port}", tls_server_name=name)

    def usage(self) -> dict[str, Usage]:
        """What each kind of process has used up to now."""
        agents = [process.pid for _, process in list(self.agents.running.values())]
        return {
            "workload controller": usage_of(process.pid for process in self.workloads),
            "runtime controller": usage_of([self.runtimes.pid]),
            "API process": usage_of([self.api.process.pid]),
            f"{len(agents)} agents": usage_of(agents),
            "PostgreSQL, NATS": usage_of([*self.servers["PostgreSQL"].pids, *self.servers["NATS"].pids]),
            "Kubernetes": usage_of(self.kubernetes),
        }

    def agent_usage(self, runtime: str) -> Usage:
        """What the agent of one runtime has used."""
        return usage_of([self._agent(runtime).pid])

    def restart_agent(self, runtime: str) -> None:
        """Ends an agent; it is started anew."""
        former = self._agent(runtime)
        former.terminate()
        path = self._file_of(runtime)

        def is_another() -> bool:
            return path in self.agents.running and self._agent(runtime).pid != former.pid

        if not wait_until(is_another, seconds=30):
            raise ServerFailed(f"the agent of {runtime} was not started again")

    def _agent(self, runtime: str) -> subprocess.Popen[bytes]:
        return self.agents.running[self._file_of(runtime)][1]

    def _file_of(self, runtime: str) -> Path:
        return self.agents.directory / f"{runtime}.json"

    def api_requests(self) -> dict[str, float]:
        """Requests that the API has answered, watches and leases apart, by verb and resource."""
        text = _read(f"{self.api.url}/metrics", self.api.tls(self.api.files.admin))
        found: dict[str, float] = {}
        for name, labels, value in _SAMPLE.findall(text):
            given = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            if name == "threeport_requests_total" and given["verb"] != "watch" and given["resource"] != "other":
                key = f"{given['verb']} {given['resource'].removesuffix('.threeport.io')}"
                found[key] = found.get(key, 0.0) + float(value)
        return found

    def cluster_requests(self) -> dict[str, float]:
        """Requests that the running shards have sent to clusters, by method."""
        found: dict[str, float] = {}
        for port in self._ports:
            for name, labels, value in _SAMPLE.findall(_read(f"http://{LOOPBACK}:{port}/metrics")):
                if name == "threeport_cluster_requests_total":
                    method = dict(re.findall(r'(\w+)="([^"]*)"', labels))["method"]
                    found[method] = found.get(method, 0.0) + float(value)
        return found


def grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What has been added to counters, the largest first."""
    added = {key: after[key] - before.get(key, 0.0) for key in after}
    return dict(sorted(((key, value) for key, value in added.items() if value), key=lambda item: -item[1]))


@contextmanager
def fleet(clusters: int) -> Iterator[Fleet]:
    """Starts all but the workload controller; ends and deletes everything."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="threeport-bench-")))
        names = [f"bench-workloads-{os.getpid()}-{number}" for number in range(clusters)]
        accesses = [access_from(stack.enter_context(_cluster(name))) for name in names]
        records = [record for name in names if (record := load(name))]
        ends = [urlsplit(access.endpoint) for access in accesses]
        distances = [stack.enter_context(distance_to(str(end.hostname), end.port or 443)) for end in ends]
        installed = stack.enter_context(installation(1))
        api = installed.apis[0]
        agents = Agents(home / "agents")
        runtimes = ControllerProcess(
            home / "runtimes", api, ("kubernetes-runtime",), {"THREEPORT_AGENT_DIR": str(agents.directory)}
        )
        made = Fleet(
            home=home,
            api=api,
            accesses=accesses,
            distances=distances,
            servers=installed.target.parts,
            kubernetes=[process.pid for record in records for process in record.processes.values()],
            agents=agents,
            runtimes=runtimes,
        )
        agents.start()
        stack.callback(agents.stop)
        runtimes.start()
        stack.callback(runtimes.stop)
        stack.callback(made.stop_workload_controllers)
        yield made


@contextmanager
def _cluster(name: str) -> Iterator[Path]:
    try:
        subprocess.run([TEST_CLUSTER, "up", "--name", name], check=True, stdout=subprocess.DEVNULL)
        found = subprocess.run([TEST_CLUSTER, "kubeconfig", "--name", name], check=True, capture_output=True, text=True)
        yield Path(found.stdout.strip())
    finally:
        subprocess.run([TEST_CLUSTER, "down", "--name", name], check=True, stdout=subprocess.DEVNULL)


def _read(url: str, tls: ssl.SSLContext | None = None) -> str:
    with urllib.request.urlopen(url, timeout=30, context=tls) as answer:
        return str(answer.read().decode())
