"""What a crowd of objects costs: the same requests to an API that holds few objects, and to one that holds 100,000.

python -m tests.bench.many [--count 100000] [--processes 2] [--requests 1500]

No figure may fall by more than a third. On a busy machine go by the CPU time for a request: rates mean nothing there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPResponse, HTTPSConnection
from typing import Any

import psycopg

from tests.bench.api import MERGE, definition, say
from tests.bench.client import LoadClient, load_client
from tests.bench.measures import Figures, Operation
from tests.bench.servers import Threeport, installation
from tests.bench.usage import Part, measured
from tests.fixtures.api import Api
from threeport.bootstrap.local.processes import LOOPBACK

GROUP = "/apis/threeport.io/v1alpha1"
EVERYWHERE = f"{GROUP}/workloaddefinitions"
FULL, USED, EMPTIED = "full", "used", "emptied"
"""Namespaces: of the crowd, of the requests that are measured, of what is deleted at once."""
TOGETHER = 250
"""Objects of a transaction."""
FILLERS = 4
CLIENTS = 16
PAGE, PAGES = 500, 60
DELETED = 10_000
REST = 130
"""Seconds after which an API process has forgotten the changes (`threeport.events.timing.Timing.memory`)."""
SETTLED = 22
"""Seconds after which refreshes no longer read the fill again (`Timing.slack` and `Timing.refresh`)."""
LONGEST = 600
"""Seconds for the longest of all requests."""
MINUTE = 60 * 1_000_000 << 10
"""As a difference of revisions."""


def collection(namespace: str) -> str:
    """The path of the definitions of a namespace."""
    return f"{GROUP}/namespaces/{namespace}/workloaddefinitions"


def operations(prefix: str) -> dict[str, Operation]:
    """What is asked of the empty API and of the full one, in order; the objects of `prefix` are gone afterwards."""
    path = collection(USED)
    one = f"{path}/{prefix}-{{n}}"
    return {
        "create": Operation("POST", path, _definition(f"{prefix}-{{n}}", USED)),
        "get": Operation("GET", one),
        "patch": Operation("PATCH", one, '{"metadata":{"annotations":{"bench":"patch-{n}"}}}', MERGE),
        "list of its 500": Operation("GET", f"{path}?limit={PAGE}"),
        "delete": Operation("DELETE", one),
    }


def _definition(name: str, namespace: str) -> str:
    obj = json.loads(definition(name))
    obj["metadata"]["namespace"] = namespace
    return json.dumps(obj)


def filling(namespace: str) -> Operation:
    """A transaction that creates the objects ``<number>-0`` and so on."""
    objects = [json.loads(_definition(f"many-{{n}}-{number}", namespace)) for number in range(TOGETHER)]
    body = {"operations": [{"operation": "create", "object": obj} for obj in objects]}
    return Operation("POST", f"{GROUP}/transactions", json.dumps(body))


class Asker:
    """Asks one API process for single things, and reads the answers."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @contextmanager
    def stream(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Iterator[HTTPResponse]:
        """An answer to be read; `SystemExit` if it is an error."""
        connection = HTTPSConnection(
            LOOPBACK, self._api.process.port, context=self._api.tls(self._api.files.admin), timeout=LONGEST
        )
        with closing(connection):
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status >= 400 and answer.status != 404:
                raise SystemExit(f"{method} {path}: {answer.status} {answer.read().decode()}")
            yield answer

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, Any]:
        """Code and decoded answer."""
        with self.stream(method, path, body) as answer:
            return answer.status, json.loads(answer.read())

    def events(self, query: str, *, enough: int) -> tuple[float, float, int]:
        """Seconds until the first event of a watch and until the last of `enough` events or its end; how many came."""
        begun = time.monotonic()
        first, count = 0.0, 0
        with self.stream("GET", f"{EVERYWHERE}?watch=true&allowWatchBookmarks=true&{query}") as answer:
            for line in answer:
                count += 1
                first = first or time.monotonic() - begun
                if count >= enough or b"k8s.io/initial-events-end" in line[:300]:
                    break
        return first, time.monotonic() - begun, count


class Bench:
    """One run."""

    def __init__(self, server: Threeport, client: LoadClient, requests: int) -> None:
        self.server = server
        self.client = client
        self.requests = requests
        self.first = Asker(server.apis[0])
        self.figures: dict[str, dict[str, Figures]] = {}
        for namespace in (FULL, USED, EMPTIED):
            self.first.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})

    def use(self, state: str) -> None:
        """The requests that are compared."""
        for name, operation in operations(state).items():
            count = min(self.requests, 300) if name.startswith("list") else self.requests
            figures = self.client.load(operation, count=count, clients=CLIENTS)
            self.figures.setdefault(name, {})[state] = figures
            say(f"{state:6} {name:24} {_told(figures)}")

    def fill(self, namespace: str, count: int) -> None:
        """Makes `count` objects, or some more."""
        figures = self.client.load(filling(namespace), count=-(-count // TOGETHER), clients=FILLERS)
        each = figures.server_cpu / TOGETHER
        say(
            f"{count} objects made in {figures.seconds:.0f} s, in transactions of {TOGETHER}: {each:.0f} us of CPU each"
        )

    def pages(self, state: str) -> None:
        """Goes through the pages of everything; then asks for those at the start, the middle and the end again."""
        tokens, begun = [""], time.monotonic()
        while token := self.first.ask("GET", _page(tokens[-1]))[1]["metadata"].get("continue"):
            tokens.append(token)
        say(f"{state:6} {len(tokens)} pages of {PAGE} read in {time.monotonic() - begun:.1f} s")
        for place, index in (("start", 0), ("middle", len(tokens) // 2), ("end", max(0, len(tokens) - 2))):
            figures = self.client.load(Operation("GET", _page(tokens[index])), count=PAGES, clients=1)
            say(f"{state:6} page at the {place:12} {_told(figures)}")
            self.figures.setdefault("page of all", {}).setdefault(state, figures)

    def watches(self, state: str, *, since: int, total: int) -> None:
        """How long a watch takes to begin, and to bring what it has missed."""
        now = int(self.first.ask("GET", f"{EVERYWHERE}?limit=1")[1]["metadata"]["resourceVersion"])
        first, _, _ = self.first.events(f"timeoutSeconds=1&resourceVersion={now}", enough=1)
        say(f"{state:6} watch from now: the first event after {first * 1000:.0f} ms")
        for what, revision in (("a minute ago", max(since, now - MINUTE)), ("before all of it", since)):
            with measured(self.server.target.parts) as cpu:
                first, last, count = self.first.events(f"timeoutSeconds=60&resourceVersion={revision}", enough=total)
            spent = sum(cpu.values()) / 1e6
            told = f"{count} events in {last:.1f} s, the first after {first:.2f} s"
            say(f"{state:6} watch from {what}: {told}; {spent:.1f} s of CPU")
        first, last, count = self.first.events(
            "timeoutSeconds=120&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", enough=total + self.requests
        )
        say(f"{state:6} watch with its state: {count} events in {last:.1f} s, the first after {first * 1000:.0f} ms")

    def empty_at_once(self) -> None:
        """Deletes a collection, then a namespace with everything in it, beside the crowd."""
        self.fill(EMPTIED, DELETED)
        with self._timed(f"deletecollection of {DELETED}"):
            self.first.ask("DELETE", collection(EMPTIED))
        self.fill(EMPTIED, DELETED)
        with self._timed(f"deletion of a namespace of {DELETED}"):
            path = f"/api/v1/namespaces/{EMPTIED}"
            self.first.ask("DELETE", path)
            while self.first.ask("GET", path)[0] != 404:
                time.sleep(0.2)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        with measured(self.server.target.parts) as cpu:
            yield
        each = ", ".join(f"{part} {micros / 1e6:.1f}" for part, micros in cpu.items())
        say(f"{what}: {time.monotonic() - begun:.1f} s; s of CPU: {each}")

    def memory(self, state: str) -> None:
        """MiB of every API process and of the rest, and of the tables."""
        apis = ", ".join(f"{part.memory_mib():.0f} (peak {part.peak_mib():.0f})" for part in self._apis())
        rest = (f"{name} {part.memory_mib():.0f}" for name, part in self.server.target.parts.items() if name != "API")
        say(f"{state:6} MiB of the API processes {apis}; {', '.join(rest)}; tables {', '.join(self._tables())}")

    def _apis(self) -> list[Part]:
        return [Part([api.process.pid]) for api in self.server.apis if api.process.pid is not None]

    def _tables(self) -> Iterator[str]:
        query = (
            "SELECT relname, pg_total_relation_size(relid) >> 20 FROM pg_stat_user_tables"
            " WHERE schemaname = '{schema}' ORDER BY 2 DESC LIMIT 3"
        )
        return (f"{name} {size}" for name, size in self._select(query))

    def _select(self, query: str) -> list[tuple[Any, ...]]:
        api = self.server.apis[0]
        with psycopg.connect(api.environment["THREEPORT_DATABASE_URL"]) as connection:
            return connection.execute(query.format(schema=api.schema).encode()).fetchall()

    def compare(self) -> None:
        """Full against empty."""
        for name, states in self.figures.items():
            empty, full = states["empty"], states["full"]
            rate, cpu = full.rate / empty.rate, full.server_cpu / empty.server_cpu
            say(f"{name:24} full : empty   rate x {rate:.2f}   CPU x {cpu:.2f}")


def _page(token: str) -> str:
    return f"{EVERYWHERE}?limit={PAGE}" + (f"&continue={token}" if token else "")


def _told(figures: Figures) -> str:
    each = ", ".join(f"{part} {micros / len(figures.latencies):.0f}" for part, micros in figures.cpu.items())
    return (
        f"{figures.rate:7.0f}/s   p50 {figures.percentile(50):6.1f} ms   p99 {figures.percentile(99):6.1f} ms   "
        f"{figures.server_cpu:6.0f} us CPU ({each})"
    )


def main() -> None:
    """Fills our API and prints what that does to it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("count", 100_000), ("processes", 2), ("requests", 1500)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with ExitStack() as stack:
        server = stack.enter_context(installation(given.processes))
        bench = Bench(server, stack.enter_context(load_client(server.target)), given.requests)
        bench.fill(FULL, 2 * PAGE)
        bench.use("empty")
        bench.pages("empty")
        bench.memory("empty")
        since = int(bench.first.ask("GET", f"{EVERYWHERE}?limit=1")[1]["metadata"]["resourceVersion"])
        bench.fill("default", given.count)
        time.sleep(SETTLED)
        bench.memory("full")
        bench.use("full")
        bench.pages("full")
        bench.watches("full", since=since, total=given.count)
        bench.memory("full")
        bench.empty_at_once()
        bench.memory("full")
        time.sleep(REST)
        bench.memory("rested")
        bench.compare()


if __name__ == "__main__":
    main()
