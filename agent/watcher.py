"""The agent as a whole: which instances there are, what is watched for them, and who is told."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from aiohttp import web

from agent.cluster.identity import KindName
from agent.cluster.reflector import Reflector
from agent.metrics import INSTANCES, OBJECTS, PENDING
from agent.observation.events import Events
from agent.observation.instances import Instance, instance_of
from agent.observation.kinds import KindWatches, watched_for
from agent.observation.objects import Objects
from agent.reporting.heartbeat import Heartbeat
from agent.reporting.report import Finding, is_ready_to_report, make_report
from agent.reporting.reporter import Reporter
from agent.reporting.reports import Reports
from agent.serving import serve
from agent.settings import AgentSettings
from threeport.client import Client
from threeport.client.objects import decode_json
from threeport.client.paths import collection_path
from threeport.client.transport import SILENCE, Transport
from threeport.common.delays import retry_delay
from threeport.common.errors import ApiError
from threeport.common.types import FrozenJson
from threeport.kube.labels import selector_of
from threeport.kube.threeport_workload import threeport_workload_kind

logger = logging.getLogger(__name__)

EVENTS_PATH: Final = "/api/v1/events"
EVENTS_QUERY: Final = {"timeoutSeconds": str(int(SILENCE * 0.8))}
"""Of Events kube-apiserver sends no bookmarks: where nothing happens their watch is to end before it counts as dead."""
WORKLOADS_PATH: Final = collection_path(threeport_workload_kind())

EVENTS_PATIENCE: Final = 60.0
"""Seconds that reports wait for the Events: half a million of them take a while to list."""

SWEEP: Final = 300.0
"""Seconds between comparisons of the reports in the API with the instances in the cluster."""


class Watcher:
    """Turns what kopf says of ThreeportWorkloads, and what the watches of their objects see, into reports."""

    def __init__(self, settings: AgentSettings) -> None:
        self._runtime = settings.runtime
        self._ours = {"labelSelector": selector_of(settings.runtime)}
        self._cluster = Transport(settings.cluster)
        self._client = Client(settings.api)
        self._instances: dict[str, Instance] = {}
        self._objects = Objects(self._mark)
        self._events = Events(self._mark_subject, on_known=self._mark_all, is_ours=self._is_ours)
        self._events_wanted = asyncio.Event()
        self._kinds = KindWatches(self._cluster, settings.runtime, self._objects, self._mark_kind)
        self._reporter = Reporter(Reports(self._client, settings.runtime), settings.runtime, self._examine)
        self._tasks: list[asyncio.Task[None]] = []
        self._settings = settings
        self._server: web.AppRunner | None = None
        self.ending = asyncio.Event()
        """Set by `stop`, and when a part has ended that should not: the process then ends, to be started anew."""

    async def start(self) -> None:
        """Begins to follow Events, to report and to serve metrics."""
        INSTANCES.set_function(lambda: len(self._instances))
        OBJECTS.set_function(lambda: len(self._objects))
        PENDING.set_function(self._reporter.pending)
        await self._serve()
        self._tasks = [
            asyncio.create_task(self._reporter.run(), name="reporter"),
            asyncio.create_task(self._follow_events(), name="watch Event"),
            asyncio.create_task(self._sweep(), name="sweep"),
            asyncio.create_task(Heartbeat(self._client, self._runtime, self._look).run(), name="heartbeat"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def _serve(self) -> None:
        """An agent whose port another program has is worth more than its metrics; in a pod its probes tell."""
        host, port = self._settings.metrics_host, self._settings.metrics_port
        if port is None:
            return
        try:
            self._server = await serve(host, port, is_ready=lambda: self._reporter.has_begun)
        except OSError as error:
            logger.error("Metrics are not served: %s. Choose another port in spec.agent.metricsPort.", error)

    async def stop(self) -> None:
        """Ends all that `start` and `workload_seen` began."""
        self.ending.set()
        await self._kinds.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._cluster.close()
        await self._client.close()
        if self._server is not None:
            await self._server.cleanup()

    def workload_seen(self, workload: FrozenJson) -> None:
        """A ThreeportWorkload of our runtime is there, new or changed."""
        instance = instance_of(workload, now=_now())
        self._instances[instance.uid] = instance.after(self._instances.get(instance.uid))
        self._want_kinds()
        self._reporter.mark(instance.uid)

    def workload_gone(self, uid: str) -> None:
        """The ThreeportWorkload of the instance with this uid is gone."""
        self._instances.pop(uid, None)
        self._objects.forget_instance(uid)
        self._want_kinds()
        self._reporter.forget(uid)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            logger.error("The %s has ended", task.get_name(), exc_info=task.exception())
            self.ending.set()

    def _want_kinds(self) -> None:
        self._kinds.want({kind for instance in self._instances.values() for kind in instance.kinds})

    def _mark(self, instance: str) -> None:
        if instance in self._instances:
            self._reporter.mark(instance)
        else:
            self._objects.forget_instance(instance)

    def _mark_kind(self, kind: KindName) -> None:
        for instance in self._instances.values():
            if kind in watched_for(instance.kinds):
                self._reporter.mark(instance.uid)

    def _mark_all(self) -> None:
        for uid in self._instances:
            self._reporter.mark(uid)

    def _mark_subject(self, subject: str) -> None:
        instance = self._objects.instance_of(subject)
        if instance is not None:
            self._mark(instance)

    def _is_ours(self, uid: str) -> bool:
        return self._objects.instance_of(uid) is not None

    def _examine(self, uid: str) -> Finding | None:
        instance = self._instances.get(uid)
        if instance is None or not is_ready_to_report(instance, self._objects):
            return None
        if self._events.awaited:
            self._events_wanted.set()
            return None
        ended = {**self._reporter.ended(uid), **self._objects.last_words(uid)}
        finding = make_report(
            self._runtime, instance, self._objects, self._events, now=_now(), clock=time.time(), ended=ended
        )
        if finding.complete:
            self._instances[uid] = instance.settled()
        return finding

    async def _follow_events(self) -> None:
        """Follows the Events, as soon as the objects that they may be about are known."""
        await self._events_wanted.wait()
        asyncio.get_running_loop().call_later(EVENTS_PATIENCE, self._events.go_without)
        attempt = 0
        while True:
            try:
                await Reflector(self._cluster, EVENTS_PATH, EVENTS_QUERY, self._events).run()
            except ApiError as error:
                logger.warning("Events cannot be watched, reports go without them: %s", error.message)
                self._events.go_without()
            await asyncio.sleep(retry_delay(attempt))
            attempt += 1

    async def _sweep(self) -> None:
        """Deletes reports about instances that went while nobody looked, and forgets those that kopf missed."""
        while True:
            try:
                await self._reporter.resync()
                suspects = self._reporter.reported() | set(self._instances)
                for uid in suspects - await self._uids_in_cluster():
                    self.workload_gone(uid)
            except ApiError as error:
                logger.warning("Reports cannot be compared with the cluster: %s", error.message)
            await asyncio.sleep(SWEEP)

    async def _look(self) -> None:
        """Whether the cluster lets us see what it is all about. Raises `ApiError`."""
        await self._cluster.request("GET", WORKLOADS_PATH, query={**self._ours, "limit": "1"})

    async def _uids_in_cluster(self) -> set[str]:
        answer = decode_json((await self._cluster.request("GET", WORKLOADS_PATH, query=self._ours)).body)
        return {workload["spec"]["instance"]["uid"] for workload in answer["items"]}


def _now() -> float:
    return asyncio.get_running_loop().time()
