"""Writes reports: soon after something changed, many changes in one, only news, again and again while the API is away.

What is sent after an outage is the newest state, not its history.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from agent.cluster.identity import ObjectName
from agent.metrics import WRITES
from agent.reporting.queue import FIRST_RETRY, LONGEST_RETRY, Queue
from agent.reporting.report import Finding
from agent.reporting.reports import Reports
from agent.reporting.told import Told, is_news, patience_with, told_of
from threeport.common.delays import retry_delay
from threeport.common.errors import ApiError
from threeport.kube.health.verdict import Verdict
from threeport.resources.workload import report_name

logger = logging.getLogger(__name__)

WRITERS: Final = 8
"""Reports on their way at the same time."""

Examine = Callable[[str], Finding | None]
"""Makes the report of the instance with this uid; None while there is nothing to say of it."""


class Reporter:
    """Keeps the reports of a runtime true. `mark` and `forget` may be called at any time; `run` does the work."""

    def __init__(self, reports: Reports, runtime: str, examine: Examine) -> None:
        self._reports = reports
        self._runtime = runtime
        self._examine = examine
        self._told: dict[str, tuple[str, str, Told | None]] = {}
        """Namespace, name and content of the reports that the API has, by the uid of the instance."""
        self._queue = Queue(_now)
        self._gone: set[str] = set()
        self._busy: set[str] = set()
        self._wake = asyncio.Event()
        self.has_begun = False
        """Whether the reports that were there before have been read."""

    def mark(self, instance: str) -> None:
        """Something about the instance with this uid has changed."""
        self._gone.discard(instance)
        self._queue.changed(instance)
        self._wake.set()

    def forget(self, instance: str) -> None:
        """The instance is gone from the cluster: its report goes too."""
        self._gone.add(instance)
        self._schedule(instance, _now())

    async def run(self) -> None:
        """Reads what was told before, then writes what is new, without end."""
        await self._begin()
        working: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                for instance in self._queue.take(WRITERS - len(working), but=self._busy):
                    self._busy.add(instance)
                    task = asyncio.create_task(self._attend(instance))
                    working.add(task)
                    task.add_done_callback(working.discard)
                await self._pause(full=len(working) >= WRITERS)
        finally:
            for task in working:
                task.cancel()

    async def resync(self) -> None:
        """Reads which reports there are, and marks those that others have changed or deleted. Raises `ApiError`."""
        begun = _now()
        found = await self._reports.read_all()
        for instance in set(found) | set(self._told):
            newer_here = instance in self._busy or self._queue.written_at(instance) >= begun
            if newer_here or self._told.get(instance) == found.get(instance):
                continue
            if instance in found:
                self._told[instance] = found[instance]
            else:
                del self._told[instance]
            if instance not in self._gone:
                self.mark(instance)

    def pending(self) -> int:
        """Instances whose report is due, or being written."""
        return len(self._queue) + len(self._busy)

    def ended(self, instance: str) -> Mapping[ObjectName, Verdict]:
        """How Jobs of the instance have ended, by its last report."""
        told = self._told[instance][2] if instance in self._told else None
        return told.ended if told is not None else {}

    def reported(self) -> set[str]:
        """The uids of the instances that the API has reports about."""
        return set(self._told)

    async def _begin(self) -> None:
        """The first reading of the reports; keeps trying until the API answers."""
        attempt = 0
        while True:
            try:
                await self.resync()
                self.has_begun = True
                return
            except ApiError as error:
                logger.warning("The reports of runtime %s cannot be read yet: %s", self._runtime, error.message)
                await asyncio.sleep(retry_delay(attempt, first=FIRST_RETRY, longest=LONGEST_RETRY))
                attempt += 1

    def _schedule(self, instance: str, due: float) -> None:
        self._queue.by(instance, due)
        self._wake.set()

    async def _pause(self, *, full: bool) -> None:
        """Until the next one is due, or a change or a finished writer makes it worth looking again."""
        timeout = None if full else self._queue.wait(but=self._busy)
        try:
            # Not `wait_for`: in Python 3.11 it may swallow a cancellation that comes together with the event.
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _attend(self, instance: str) -> None:
        """Brings one report up to date; what fails is tried again, each time a little later."""
        try:
            if instance in self._gone:
                await self._delete(instance)
            else:
                await self._write(instance)
            self._queue.succeeded(instance)
        except ApiError as error:
            self._retry_later(instance, error.message)
        except Exception as error:
            # A mistake of ours about one instance must not keep the others from being reported.
            logger.exception("Report of instance %s cannot be made", instance)
            self._retry_later(instance, repr(error))
        finally:
            self._busy.discard(instance)
            self._wake.set()

    def _retry_later(self, instance: str, why: str) -> None:
        delay = self._queue.failed(instance)
        WRITES.labels("report", "failed").inc()
        logger.warning("Report of instance %s: %s; trying again in %.0f s", instance, why, delay)

    async def _delete(self, instance: str) -> None:
        if instance in self._told:
            namespace, name, _ = self._told[instance]
            await self._reports.delete(namespace, name)
            WRITES.labels("report", "done").inc()
            logger.info("Deleted report %s/%s: its instance is gone from the cluster", namespace, name)
        self._told.pop(instance, None)
        self._queue.forget(instance)
        self._gone.discard(instance)

    async def _write(self, instance: str) -> None:
        finding = self._examine(instance)
        if finding is None:
            return
        if finding.look_again is not None:
            self._schedule(instance, _now() + finding.look_again)
        spec, new = finding.spec, told_of(finding.spec)
        known = self._told[instance][2] if instance in self._told else None
        foreseen = told_of(finding.foreseen) if finding.foreseen is not None else new
        if not (is_news(new, known) and is_news(foreseen, known)):
            return
        due = self._queue.written_at(instance) + patience_with(new, known)
        if due > _now():
            self._schedule(instance, due)
            return
        self._queue.written(instance)
        await self._reports.write(spec)
        WRITES.labels("report", "done").inc()
        namespace = spec.instance_ref.namespace or ""
        name = report_name(spec.instance_ref.name, instance, self._runtime)
        self._told[instance] = (namespace, name, new)
        logger.info("Reported %s/%s: %s %s", namespace, spec.instance_ref.name, spec.health, spec.message)


def _now() -> float:
    return asyncio.get_running_loop().time()
