"""Our API against kube-apiserver: the same work, TLS, the client on the same cores, interleaved in one run.

python -m tests.bench.api [--rounds 3] [--count 1000] [--clients 16] [--processes 2]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import defaultdict

import uvloop

from tests.bench.connection import Connection, Target
from tests.bench.measures import Figures, Operation, load
from tests.bench.servers import kubernetes, target_of, threeport

COLLECTION = "/apis/threeport.io/v1alpha1/namespaces/default/workloaddefinitions"
MERGE = "application/merge-patch+json"


def definition(name: str) -> bytes:
    """A WorkloadDefinition of about 1 kB."""
    data = {f"key-{number}": "value of a line of configuration" for number in range(15)}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}
    return json.dumps(
        {
            "apiVersion": "threeport.io/v1alpha1",
            "kind": "WorkloadDefinition",
            "metadata": {"name": name, "namespace": "default", "labels": {"bench": "api"}},
            "spec": {"manifests": [config]},
        }
    ).encode()


def operations(prefix: str) -> dict[str, Operation]:
    """What one round does, in order; the objects of `prefix` are created, used and deleted."""

    async def expect(connection: Connection, method: str, path: str, body: bytes = b"", content: str = "") -> None:
        answer = await connection.request(method, path, body, content or "application/json")
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path} was answered {answer.status}: {answer.body[:500]!r}")

    def patch(number: int) -> bytes:
        return json.dumps({"metadata": {"annotations": {"bench": f"{prefix}-{number}-{time.monotonic_ns()}"}}}).encode()

    return {
        "create": lambda c, n: expect(c, "POST", COLLECTION, definition(f"{prefix}-{n}")),
        "get": lambda c, n: expect(c, "GET", f"{COLLECTION}/{prefix}-{n}"),
        "patch": lambda c, n: expect(c, "PATCH", f"{COLLECTION}/{prefix}-{n}", patch(n), MERGE),
        "list of 500": lambda c, _: expect(c, "GET", f"{COLLECTION}?limit=500"),
        "delete": lambda c, n: expect(c, "DELETE", f"{COLLECTION}/{prefix}-{n}"),
    }


async def watch_lag(target: Target, count: int) -> Figures:
    """Seconds from sending a create, 50 a second, until a watch at another connection shows it."""
    sent: dict[str, float] = {}
    figures = Figures()
    watcher = await target.connect(1)
    listed = json.loads((await (await target.connect(0)).request("GET", f"{COLLECTION}?limit=1")).body)
    watcher.send("GET", f"{COLLECTION}?watch=true&resourceVersion={listed['metadata']['resourceVersion']}")
    await watcher.head()

    async def follow() -> None:
        rest = b""
        async for chunk in watcher.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                name = json.loads(line)["object"]["metadata"].get("name")
                if name in sent:
                    figures.latencies.append(time.perf_counter() - sent.pop(name))
            if len(figures.latencies) == count:
                return

    following = asyncio.create_task(follow())
    writer = await target.connect(0)
    for number in range(count):
        name = f"lag-{time.monotonic_ns()}-{number}"
        sent[name] = time.perf_counter()
        await writer.request("POST", COLLECTION, definition(name))
        await asyncio.sleep(max(0.0, 0.02 - (time.perf_counter() - sent.get(name, time.perf_counter()))))
    await asyncio.wait_for(following, 30)
    watcher.close()
    await writer.request("DELETE", COLLECTION)
    return figures


async def measure(targets: list[Target], rounds: int, count: int, clients: int) -> dict[str, dict[str, Figures]]:
    """Figures by operation and target, rounds of the targets in turn."""
    results: dict[str, dict[str, Figures]] = defaultdict(lambda: defaultdict(Figures))
    for number in range(rounds):
        for target in targets:
            for name, operation in operations(f"round-{number}").items():
                often = max(20, count // 20) if name.startswith("list") else count
                results[name][target.name].add(await load(target, operation, count=often, clients=clients))
            results["send -> watch"][target.name].add(await watch_lag(target, 200))
            print(f"round {number + 1}: {target.name} done", flush=True)  # noqa: T201
    return results


def show(results: dict[str, dict[str, Figures]]) -> None:
    """A line per operation and target, and the ratio of the rates (of the medians for latencies)."""
    for name, by_target in results.items():
        for target, figures in by_target.items():
            print(  # noqa: T201
                f"{name:14} {target:15} {figures.rate:8.0f}/s   "
                f"p50 {figures.percentile(50):7.1f} ms   p99 {figures.percentile(99):7.1f} ms"
            )
        if len(by_target) == 2:
            ours, theirs = by_target["threeport"], by_target["kube-apiserver"]
            rates = f"rate x {ours.rate / theirs.rate:.2f}, " if theirs.rate else ""
            print(f"{'':14} {rates}p50 x {ours.percentile(50) / theirs.percentile(50):.2f}")  # noqa: T201


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rounds", 3), ("count", 1000), ("clients", 16), ("processes", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--alone", action="store_true", help="measure our API only")
    given = parser.parse_args()
    with threeport(given.processes) as apis:
        if given.alone:
            results = uvloop.run(measure([target_of(apis)], given.rounds, given.count, given.clients))
        else:
            with kubernetes() as (theirs, _):
                both = [target_of(apis), theirs]
                results = uvloop.run(measure(both, given.rounds, given.count, given.clients))
    show(results)


if __name__ == "__main__":
    main()
