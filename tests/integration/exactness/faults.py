"""What goes wrong in a run: a plan made from the seed alone, and the hands that carry it out.

Every fault lasts some time and then ends by itself; whatever has been killed is started again.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final, NamedTuple

import nats
import nats.errors
import psycopg

from tests.fixtures.link import Link, LinkState
from tests.integration.exactness.servers import PROCESSES, RESOURCE, Site, start
from threeport.bootstrap.local.processes import ServerProcess

MICROS: Final = 1_000_000


class Fault(NamedTuple):
    """One thing that goes wrong: when it begins and for how long, in seconds, and which API process it hits."""

    at: float
    kind: str
    lasts: float
    process: int

    def __str__(self) -> str:
        return f"at {self.at:.1f} s for {self.lasts:.1f} s: {self.kind}, process {self.process}"


def plan(seed: int, seconds: float) -> list[Fault]:
    """The faults of a run that lasts `seconds`, in order. All kinds come up before one comes again.

    How close they come upon each other is the seed's choice: many at once hide what a few at once would show.
    """
    chance = random.Random(f"{seed} faults")
    pace = chance.choice((1.0, 2.0, 3.0))
    kinds: list[str] = []
    faults: list[Fault] = []
    at = 0.5
    while at < seconds - 1:
        kinds = kinds or chance.sample(sorted(LONGEST), len(LONGEST))
        kind = kinds.pop()
        lasts = min(chance.uniform(0.1, 1.0) * LONGEST[kind], seconds - at)
        # The first process is never killed: what hours do to memory is seen in it.
        first = 1 if kind == "API process killed" else 0
        faults.append(Fault(at, kind, lasts, chance.randrange(first, PROCESSES)))
        at += chance.choice((0.05, 0.2, 0.5, 1.2)) * pace
    return faults


LONGEST: Final = {
    "API process killed": 2.0,
    "API process paused": 6.0,
    "NATS killed": 6.0,
    "stream purged": 0.0,
    "stream deleted": 0.0,
    "database killed": 2.0,
    "database cut off": 6.0,
    "database silent": 8.0,
    "database stutters": 6.0,
    "database's answers lost": 4.0,
    "broker cut off": 8.0,
    "broker silent": 8.0,
    "clients cut off": 2.0,
    "clients silent": 4.0,
    "clients' answers lost": 2.0,
    "rows held": 3.5,
    "names held": 3.5,
    "clock shifted a little": 5.0,
    "clock shifted a lot": 4.0,
}
"""Seconds that each kind of fault may last."""


class Faults:
    """Carries out faults on a site."""

    def __init__(self, site: Site, namespace: str, names: list[str], seed: int) -> None:
        self._site = site
        self._namespace = namespace
        self._names = names
        self._random = random.Random(f"{seed} victims")
        self._down: set[ServerProcess] = set()

    async def run(self, faults: list[Fault], tell: Callable[[str], None]) -> None:
        """Carry out a plan; returns when all faults have ended and everything is up again."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.TaskGroup() as underway:
            for fault in faults:
                await asyncio.sleep(max(0.0, begun + fault.at - loop.time()))
                tell(str(fault))
                underway.create_task(self._acts()[fault.kind](fault), name=str(fault))

    def _acts(self) -> dict[str, Callable[[Fault], Coroutine[object, object, None]]]:
        site = self._site
        return {
            "API process killed": lambda fault: self._kill(site.processes[fault.process], fault),
            "API process paused": self._pause,
            "NATS killed": lambda fault: self._kill(site.nats, fault),
            "stream purged": lambda fault: self._wipe(delete=False),
            "stream deleted": lambda fault: self._wipe(delete=True),
            "database killed": lambda fault: self._kill(site.postgres, fault),
            "database cut off": lambda fault: _link(site.links[fault.process].database, LinkState.CUT, fault),
            "database silent": lambda fault: _link(site.links[fault.process].database, LinkState.SILENT, fault),
            "database stutters": self._stutter,
            "database's answers lost": lambda fault: self._lose_answers(site.links[fault.process].database, fault),
            "broker cut off": lambda fault: _link(site.links[fault.process].broker, LinkState.CUT, fault),
            "broker silent": lambda fault: _link(site.links[fault.process].broker, LinkState.SILENT, fault),
            "clients cut off": lambda fault: _link(site.links[fault.process].clients, LinkState.CUT, fault),
            "clients silent": lambda fault: _link(site.links[fault.process].clients, LinkState.SILENT, fault),
            "clients' answers lost": lambda fault: self._lose_answers(site.links[fault.process].clients, fault),
            "rows held": self._hold_rows,
            "names held": self._hold_names,
            "clock shifted a little": lambda fault: self._shift(fault, self._random.uniform(-0.9, 0.9)),
            "clock shifted a lot": lambda fault: self._shift(fault, self._random.choice((-30.0, -3.0, 3.0, 30.0))),
        }

    async def _kill(self, server: ServerProcess, fault: Fault) -> None:
        if server in self._down:
            return
        self._down.add(server)
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(fault.lasts)
        await asyncio.to_thread(start, server)
        self._down.discard(server)

    async def _pause(self, fault: Fault) -> None:
        process = self._site.processes[fault.process]
        pid = process.pid
        if process in self._down or pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(fault.lasts)
            finally:
                os.kill(pid, signal.SIGCONT)

    async def _wipe(self, *, delete: bool) -> None:
        with suppress(nats.errors.Error, OSError, asyncio.TimeoutError):
            client = await nats.connect(
                self._site.nats.url, allow_reconnect=False, connect_timeout=1, error_cb=_say_nothing
            )
            try:
                jetstream = client.jetstream(timeout=2)
                await (jetstream.delete_stream if delete else jetstream.purge_stream)(self._site.stream)
            finally:
                await client.close()

    async def _stutter(self, fault: Fault) -> None:
        """Holds back, again and again, all that goes between a process and the database: commits come late."""
        link, end = self._site.links[fault.process].database, asyncio.get_running_loop().time() + fault.lasts
        while asyncio.get_running_loop().time() < end:
            delay = self._random.uniform(0.05, 1.5)
            await _link(link, LinkState.SILENT, fault._replace(lasts=delay))
            await asyncio.sleep(self._random.uniform(0.01, 0.3))

    async def _lose_answers(self, link: Link, fault: Fault) -> None:
        """Again and again, lets requests through for a moment, and cuts the connections before they are answered."""
        end = asyncio.get_running_loop().time() + fault.lasts
        while asyncio.get_running_loop().time() < end:
            await asyncio.to_thread(link.become, LinkState.MUTE)
            await asyncio.sleep(self._random.uniform(0.01, 0.3))
            await _link(link, LinkState.CUT, fault._replace(lasts=0.02))
            await asyncio.sleep(self._random.uniform(0.1, 0.6))

    async def _hold_rows(self, fault: Fault) -> None:
        """A transaction that holds some objects: writes to them, and what they have written before, commit late."""
        names = self._random.sample(self._names, 4)
        await asyncio.to_thread(
            self._hold,
            "SELECT 1 FROM objects WHERE resource = %s AND namespace = %s AND name = ANY(%s) FOR UPDATE",
            (RESOURCE, self._namespace, names),
            fault.lasts,
        )

    async def _hold_names(self, fault: Fault) -> None:
        """A transaction that has taken a name, and gives it back in the end: creations wait for it."""
        await asyncio.to_thread(
            self._hold,
            "INSERT INTO objects (resource, namespace, name, uid, revision, generation, deleting, shard, labels,"
            " bookkeeping, body) SELECT %s, %s, n, 'held-' || n, 1, 1, false, 0, '{}', '{}', '{}'"
            " FROM unnest(%s::TEXT[]) AS n ON CONFLICT DO NOTHING",
            (RESOURCE, self._namespace, self._random.sample(self._names, 3)),
            fault.lasts,
        )

    def _hold(self, statement: str, parameters: tuple[object, ...], seconds: float) -> None:
        with (
            suppress(psycopg.OperationalError),
            self._site.connect() as connection,
            connection.transaction(force_rollback=True),
        ):
            connection.execute("SET LOCAL lock_timeout = '1s'")
            connection.execute(statement.encode(), parameters)
            connection.execute("SELECT pg_sleep(%s)", (seconds,))

    async def _shift(self, fault: Fault, seconds: float) -> None:
        process = self._site.processes[fault.process]
        process.set_shift(int(seconds * MICROS))
        await asyncio.sleep(fault.lasts)
        process.set_shift(0)


async def _say_nothing(error: Exception) -> None:
    """The client would print a traceback: that the broker is away is the point here."""


async def _link(link: Link, state: LinkState, fault: Fault) -> None:
    await asyncio.to_thread(link.become, state)
    await asyncio.sleep(fault.lasts)
    await asyncio.to_thread(link.become, LinkState.OPEN)
