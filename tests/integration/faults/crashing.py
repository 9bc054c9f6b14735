"""A controller that dies right after its k-th write, as if its machine had lost power.

Run as a program it is a fork server: with everything imported it makes a controller in a fraction of a second. For each
line on its input it forks one, says the process id, waits for its end, and says ``ended``.

The writes are counted where answers arrive: in the HTTP client, which is the same for the API and for clusters. So the
server has done what was asked, and nobody has heard of it. The file named by ``CRASH_AFTER`` holds the number of
the order and the number of writes after which to die; the controller takes the file away as it dies.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

CRASH_AFTER: Final = "CRASH_AFTER"
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
EXIT_CODE: Final = 137


class CrashingController:
    """The fork server and the controller that it has made last."""

    def __init__(self, directory: Path, names: tuple[str, ...], environment: Mapping[str, str]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._after = directory / "crash-after"
        self.log = directory / "log"
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.integration.faults.crashing", *names],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**environment, CRASH_AFTER: str(self._after)},
                cwd=Path(__file__).parents[3],
                text=True,
            )
        self._pid = 0
        self._orders = 0

    def start(self) -> None:
        """Makes a controller; the one before must have ended."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write("start\n")
        self._server.stdin.flush()
        while not (line := self._server.stdout.readline().strip()).isdigit():
            assert line == "ended", f"the fork server died; its log: {self.log}"
        self._pid = int(line)

    def die_after(self, writes: int) -> None:
        """The controller will die when the answer to this many writes from now has arrived."""
        self._orders += 1
        draft = self._after.with_suffix(".new")
        draft.write_text(f"{self._orders} {writes}")
        draft.replace(self._after)

    def live(self) -> bool:
        """The controller will not die by itself any more. Returns whether it lives: it may be about to die."""
        try:
            self._after.unlink()
        except FileNotFoundError:
            # It has taken the order, so it is dying.
            return False
        return self.alive

    @property
    def alive(self) -> bool:
        """Whether the controller runs."""
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> None:
        """Kills everything."""
        if self.alive:
            os.kill(self._pid, 9)
        self._server.communicate(timeout=10)


def _serve(names: list[str]) -> None:
    # Only what takes long to import. The handlers themselves have to be imported once per process, by `main`.
    import operators.workload.instance  # noqa: F401, PLC0415
    from threeport.controller import __main__ as controller  # noqa: PLC0415

    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _count_writes(Path(os.environ[CRASH_AFTER]))
            os._exit(controller.main(names))
        print(pid, flush=True)  # noqa: T201 # the answer
        os.waitpid(pid, 0)
        print("ended", flush=True)  # noqa: T201


def _count_writes(after: Path) -> None:
    start, writes = aiohttp.ClientResponse.start, Counter[str]()

    async def start_and_count(response: aiohttp.ClientResponse, connection: Any) -> aiohttp.ClientResponse:
        answered = await start(response, connection)
        if response.method not in READS and not response.url.path.endswith("/lease"):
            _count(after, writes)
        return answered

    aiohttp.ClientResponse.start = start_and_count  # type: ignore[assignment,method-assign]


def _count(after: Path, writes: Counter[str]) -> None:
    """Counts one write for the present order, and dies if it was the last."""
    try:
        order, last = after.read_text().split()
        writes[order] += 1
        if writes[order] >= int(last):
            after.rename(after.with_suffix(".taken"))
            os._exit(EXIT_CODE)
    except FileNotFoundError:
        return


if __name__ == "__main__":
    _serve(sys.argv[1:])
