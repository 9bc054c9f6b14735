"""The load client: a small Go program (`client/main.go`), which takes little of the machine that the
servers need."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.measures import Figures, Operation
from tests.bench.usage import CpuTime, Part, measured

SOURCE = Path(__file__).parent / "client"


class Target(NamedTuple):
    """A server to measure: an address (host:port) per process, files to be let in with, and what it consists of."""

    name: str
    addresses: tuple[str, ...]
    ca: Path
    certificate: Path
    key: Path
    parts: Mapping[str, Part]
    """Process ids by what they are, for figures of CPU time and memory."""


@dataclass(frozen=True, slots=True)
class LoadClient:
    """The program, running for one target."""

    target: Target
    _process: subprocess.Popen[str]

    def load(self, operation: Operation, *, count: int, clients: int) -> Figures:
        """Does operations number 0 to `count` - 1, spread over `clients` connections, each one at a time."""
        self._ask({"Connect": True, "Clients": clients})
        return self._do({"Request": operation._asdict(), "Count": count, "Clients": clients})

    def watch(self, create: Operation, *, path: str, marker: str, count: int, rate: float, watchers: int) -> Figures:
        """Latencies from sending each of `count` creates, `rate` a second, until each watch of `path` shows it.

        `marker` is what stands in the created object right before its number. `SystemExit` if an event is missing.
        """
        work = {"Request": create._asdict(), "Count": count, "Clients": 16, "Rate": rate}
        return self._do({**work, "Watchers": watchers, "Watch": path, "Marker": marker})

    def _do(self, work: Mapping[str, object]) -> Figures:
        with measured({**self.target.parts, "client": Part([self._process.pid])}) as cpu:
            answer = self._ask(work)
        return _figures(answer, cpu)

    def _ask(self, work: Mapping[str, object]) -> Mapping[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({**work, "Addresses": self.target.addresses}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("The load client has ended; what it met is said above.")
        answer: Mapping[str, Any] = json.loads(line)
        return answer


def _figures(answer: Mapping[str, Any], cpu: CpuTime) -> Figures:
    if answer["Missing"]:
        raise SystemExit(f"{answer['Missing']} events did not reach their watches within a minute.")
    return Figures([micros / 1e6 for micros in answer["Latencies"]], answer["Seconds"], cpu)


@contextmanager
def load_client(target: Target) -> Iterator[LoadClient]:
    """Builds and starts the client. Needs Go."""
    with tempfile.TemporaryDirectory(prefix="threeport-bench-client-") as directory:
        program = Path(directory) / "client"
        subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, check=True)  # noqa: S607 - any Go will do
        files = ("-ca", target.ca, "-cert", target.certificate, "-key", target.key)
        process = subprocess.Popen((program, *files), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield LoadClient(target, process)
        finally:
            process.terminate()
            process.wait()
