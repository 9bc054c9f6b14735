"""One process under supervision: it is prepared, started, watched, started again with growing pauses, and stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress

from threeport.bootstrap.local import process_ids
from threeport.bootstrap.local.components import Component
from threeport.bootstrap.local.process_ids import identify
from threeport.bootstrap.local.processes import ServerFailed
from threeport.bootstrap.local.state import Phase, ProcessState

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between a failure and the next start: doubling, and back to the first after `STEADY` seconds of running."""

STEADY = 60.0
READY_POLL = 0.05
LOG_LIMIT = 10_000_000
"""Bytes after which a log file is moved to ``.1``, replacing the one that was there."""
LOG_CHECK = 10.0
"""Seconds between two looks at how long it is."""

STOP_SECONDS = 20.0


class Supervised:
    """One component of the control plane and the process that runs it now.

    `changed` is called whenever `state` has changed; `answering` says which components are ready.
    """

    def __init__(
        self, component: Component, *, answering: Callable[[], Collection[str]], changed: Callable[[], None]
    ) -> None:
        self.component = component
        self.state = ProcessState(
            name=component.name,
            address=component.address,
            stop_signal=component.server.stop_signal,
            since=time.time(),
        )
        self._answering = answering
        self._changed = changed
        self.failures = 0
        """How often it has ended in a row, without a steady run in between."""
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins supervision, in a task of its own."""
        self._task = asyncio.create_task(self._supervise(), name=self.component.name)

    async def stop(self) -> None:
        """Ends supervision and the process: asks first, and kills the whole group when it takes too long."""
        if self._task is not None:
            self._task.cancel()
            # Once: it may be stopping the process, and would kill it at a second cancellation.
            await asyncio.wait({self._task})
        await self._stop_process()
        self._enter(Phase.STOPPED)

    async def _supervise(self) -> None:
        while True:
            await self._wait_for_others()
            started = time.monotonic()
            why = await self._run_once()
            self.failures = 0 if time.monotonic() - started > STEADY else self.failures + 1
            pause = min(FIRST_PAUSE * 2.0 ** min(self.failures - 1, 16), LONGEST_PAUSE) if self.failures else 0.0
            logger.warning("%s %s; starting it again in %.1f s", self.component.name, why, pause)
            self.state.restarts += 1
            self._enter(Phase.RESTARTING, why)
            await asyncio.sleep(pause)

    async def _wait_for_others(self) -> None:
        while missing := [name for name in self.component.after if name not in self._answering()]:
            if self.state.phase != Phase.WAITING:
                self._enter(Phase.WAITING, f"waits for {', '.join(missing)}")
            await asyncio.sleep(READY_POLL)

    async def _run_once(self) -> str:
        """One life of the process; returns how it ended."""
        self._enter(Phase.STARTING)
        try:
            await asyncio.to_thread(self.component.server.prepare)
            process = await self._spawn()
        except (ServerFailed, OSError) as error:
            return f"could not be started: {error}"
        try:
            if not await self._becomes_ready(process):
                return f"did not answer within {self.component.server.start_seconds:.0f} s; see its log"
            if process.returncode is None:
                logger.info("%s is ready (process %d)", self.component.name, process.pid)
                self._enter(Phase.READY)
                await self._watch(process)
            return _how_it_ended(process.returncode)
        finally:
            await self._stop_process()

    async def _spawn(self) -> asyncio.subprocess.Process:
        server = self.component.server
        user, group = server.ownership() or (None, None)
        with server.log.open("ab") as log:
            # It writes the file itself, so that it can go on when the supervisor is killed; and it has a session of
            # its own: neither a Ctrl-C nor the end of a terminal reaches it.
            self._process = await asyncio.create_subprocess_exec(
                *server.command(), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(server.environment()), cwd="/", start_new_session=True, user=user, group=group,
            )  # fmt: skip
        self.state.process = identify(self._process.pid)
        self._changed()
        return self._process

    async def _becomes_ready(self, process: asyncio.subprocess.Process) -> bool:
        """Whether the process answers, or ends, in time."""
        deadline = time.monotonic() + self.component.server.start_seconds
        while process.returncode is None and not await asyncio.to_thread(self.component.server.ready):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(READY_POLL)
        return True

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Until the process ends; keeps its log file short on the way."""
        while process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOG_CHECK):
                    await process.wait()
            await asyncio.to_thread(self._rotate_log)

    async def _stop_process(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.component.server.stop_signal)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            logger.warning("%s does not stop: killing it", self.component.name)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # whatever it has left in its group
        await process.wait()

    def _rotate_log(self) -> None:
        """Copies a long log away and empties it: the process appends, so it goes on at the start of the file."""
        log = self.component.server.log
        try:
            if log.exists() and log.stat().st_size > LOG_LIMIT:
                shutil.copyfile(log, log.with_name(f"{log.name}.1"))
                os.truncate(log, 0)
        except OSError as error:  # a full disk, most likely: the process is worth more than its log
            logger.warning("the log of %s cannot be moved away: %s", self.component.name, error)

    def _enter(self, phase: Phase, message: str = "") -> None:
        self.state.phase, self.state.message, self.state.since = phase, message, time.time()
        if phase in (Phase.STOPPED, Phase.RESTARTING):
            self.state.process = None
        self._changed()


def end_leftover(left: ProcessState) -> None:
    """Ends what an earlier supervisor started and could not stop, because it was killed."""
    if left.process is not None and process_ids.is_alive(left.process):
        logger.info("ending %s (process %d) of an earlier run", left.name, left.process.pid)
        process_ids.end([left.process], seconds=STOP_SECONDS, stop_signal=signal.Signals(left.stop_signal))


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}; see its log"
    return f"ended with code {code}; see its log"
