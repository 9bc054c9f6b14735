"""One run: writers and watchers on a site while the faults of a seed happen, then peace, then the history."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass

from tests.integration.exactness.connection import Connection, now
from tests.integration.exactness.faults import Faults, plan
from tests.integration.exactness.history import PAIRS, Event, History, Listing
from tests.integration.exactness.servers import PROCESSES, Site, new_namespace
from tests.integration.exactness.watchers import HABITS, Watcher
from tests.integration.exactness.writers import NAMES, Writer

WRITERS = 8
UP_WITHIN = 120.0
SETTLE_WITHIN = 120.0
"""Seconds after the last fault in which all watchers must know what the database holds."""
QUIET = 1.5
"""Seconds without a change in the database that show that no request is left at work."""


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    history: History
    settled: float | None
    """Seconds from the end of faults and writes until all watchers knew the final state; None if they never did."""

    def figures(self) -> Counter[str]:
        """How much happened."""
        counted: Counter[str] = Counter()
        for write in self.history.writes:
            counted["writes"] += 1
            counted[f"writes {write.outcome}"] += 1
        for watcher in self.history.watchers:
            counted["events"] += sum(isinstance(entry, Event) for entry in watcher.entries)
            counted["lists"] += sum(isinstance(entry, Listing) for entry in watcher.entries)
            counted.update(f"{answer.verb} {answer.code or 'cut'}" for answer in watcher.answers)
        counted["faults"] = len(self.history.faults)
        return counted


async def run(site: Site, seed: int, *, seconds: float, filler: int = 0) -> Result:
    """Let the faults of `seed` happen within `seconds`, under load, and wait for all watchers to settle.

    `filler` bytes in each object make that buffers run over.
    """
    history, namespace = History(seed), new_namespace(seed)
    # Faults of one client are not those of another: each has connections of its own.
    async with Connection(site.urls, site.apis[0].tls(site.apis[0].files.admin)) as connection:
        await _make_namespace(connection, namespace)
        begun = now()
        writers = [Writer(f"w{i}", connection, namespace, history.writes, str(seed), filler) for i in range(WRITERS)]
        watchers = [Watcher(habits, connection, namespace, str(seed)) for habits in HABITS]
        history.watchers = [watcher.seen for watcher in watchers]
        writing = [_start(writer.run()) for writer in writers]
        watching = [_start(watcher.run()) for watcher in watchers]
        names = [*NAMES, *(half for pair in PAIRS for half in pair)]
        try:
            await Faults(site, namespace, names, seed).run(
                plan(seed, seconds), lambda text: history.faults.append(f"{now():9.3f}  {text}")
            )
            await asyncio.sleep(max(0.0, begun + seconds - now()))
            await _all_up(connection)
            await _stop(writing)
            return Result(history, await _settle(site, history, namespace, watchers))
        finally:
            await _stop([*writing, *watching])


async def _make_namespace(connection: Connection, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    deadline = now() + UP_WITHIN
    while (reply := await connection.request(0, "POST", "/api/v1/namespaces", body)).code not in (201, 409):
        if now() > deadline:
            raise TimeoutError(f"no namespace can be made: {reply}")
        await asyncio.sleep(0.1)


async def _all_up(connection: Connection) -> None:
    """Wait until every process answers that it is ready."""
    deadline = now() + UP_WITHIN
    for server in range(PROCESSES):
        while (reply := await connection.request(server, "GET", "/readyz")).code != 200:
            if now() > deadline:
                raise TimeoutError(f"process {server} is not ready {UP_WITHIN} s after the last fault: {reply}")
            await asyncio.sleep(0.1)


async def _settle(site: Site, history: History, namespace: str, watchers: list[Watcher]) -> float | None:
    """Wait until all watchers know what the database holds, and that does not change: requests that their clients
    have left may still be at work. The database's content goes into the history."""
    begun = quiet_since = now()
    for watcher in watchers:
        watcher.calm = True
    settled: float | None = None
    while now() < begun + SETTLE_WITHIN:
        objects, tombstones = await asyncio.to_thread(site.truth, namespace)
        if (objects, tombstones) != (history.objects, history.tombstones):
            history.objects, history.tombstones = objects, tombstones
            quiet_since, settled = now(), None
        if not all(watcher.knows(objects) for watcher in watchers):
            settled = None
        elif settled is None:
            settled = now()
        elif now() > quiet_since + QUIET:
            return settled - begun
        await asyncio.sleep(0.1)
    return None


def _start(coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
    return asyncio.create_task(coroutine)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel; whoever has failed before fails the run."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
