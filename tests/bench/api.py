"""Our API against kube-apiserver: the same work, TLS, the client on the same cores, interleaved in one run.

python -m tests.bench.api [--rounds 3] [--count 1000] [--clients 16] [--processes 2] [--alone]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack

from tests.bench.client import LoadClient, Target, load_client
from tests.bench.measures import Figures, Operation, table
from tests.bench.servers import installation, kubernetes
from tests.bench.usage import memory

COLLECTION = "/apis/threeport.io/v1alpha1/namespaces/default/workloaddefinitions"
MERGE = "application/merge-patch+json"
LAGS = 200


def definition(name: str) -> str:
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
    )


def create(prefix: str) -> Operation:
    """Creates ``<prefix>-<number>``."""
    return Operation("POST", COLLECTION, definition(f"{prefix}-{{n}}"))


def delete(prefix: str) -> Operation:
    """Deletes ``<prefix>-<number>``."""
    return Operation("DELETE", f"{COLLECTION}/{prefix}-{{n}}")


def operations(prefix: str) -> dict[str, Operation]:
    """What one round does, in order; the objects of `prefix` are created, used and deleted."""
    one = f"{COLLECTION}/{prefix}-{{n}}"
    return {
        "create": create(prefix),
        "get": Operation("GET", one),
        "patch": Operation("PATCH", one, '{"metadata":{"annotations":{"bench":"patch-{n}"}}}', MERGE),
        "list of 500": Operation("GET", f"{COLLECTION}?limit=500"),
        "delete": delete(prefix),
    }


def watch_lag(client: LoadClient, prefix: str) -> Figures:
    """From sending a create, 50 a second, until a watch at another connection shows it."""
    name = f"lag-{prefix}"
    lag = client.watch(
        create(name), path=f"{COLLECTION}?watch=true", marker=f'"{name}-', count=LAGS, rate=50, watchers=1
    )
    client.load(delete(name), count=LAGS, clients=16)
    return lag


def measure(targets: Sequence[Target], rounds: int, count: int, clients: int) -> dict[str, dict[str, Figures]]:
    """Figures by operation and target, rounds of the targets in turn."""
    results: dict[str, dict[str, Figures]] = defaultdict(lambda: defaultdict(Figures))
    with ExitStack() as stack:
        running = [stack.enter_context(load_client(target)) for target in targets]
        for number in range(rounds):
            for client in running:
                name = client.target.name
                for what, operation in operations(f"round-{number}").items():
                    often = max(20, count // 10) if what.startswith("list") else count
                    results[what][name].add(client.load(operation, count=often, clients=clients))
                results["send -> watch"][name].add(watch_lag(client, f"{number}"))
                say(f"round {number + 1}: {name} done")
    return results


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rounds", 3), ("count", 1000), ("clients", 16), ("processes", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--alone", action="store_true", help="measure our API only")
    given = parser.parse_args()
    with ExitStack() as stack:
        targets = [stack.enter_context(installation(given.processes)).target]
        if not given.alone:
            targets.append(stack.enter_context(kubernetes())[0])
        results = measure(targets, given.rounds, given.count, given.clients)
        used = {target.name: memory(target.parts) for target in targets}
    for name, by_target in results.items():
        for line in table(name, by_target):
            say(line)
    for target, parts in used.items():
        each = ", ".join(f"{part} {mib:.0f}" for part, mib in parts.items())
        say(f"{'memory':14} {target:15} {sum(parts.values()):8.0f} MiB   ({each})")


if __name__ == "__main__":
    main()
