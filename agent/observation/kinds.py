"""Which kinds are watched: those that instances name, and what runs on their behalf. One reflector per kind.

kopf's own watches are decided when the operator starts, by selectors; a kind that is only known by name at run time
(a custom resource of an application, whose definition may come later) would take a watch on everything, and kopf ends
when one of the kinds may not be listed. So kopf follows the ThreeportWorkloads, and these watches follow what they
name: narrowed by label on the server, started and stopped as kinds come and go, each failing on its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Set
from typing import Final

from agent.cluster.discovery import find_collection
from agent.cluster.identity import KindName
from agent.cluster.reflector import Reflector
from agent.observation.objects import KindSink, Objects, Sight
from threeport.client.errors import has_answered
from threeport.client.transport import Transport
from threeport.common.delays import retry_delay
from threeport.common.errors import ApiError, Forbidden, NotFound
from threeport.kube.labels import INSTANCE_LABEL, selector_of

logger = logging.getLogger(__name__)

EXPLAINING: Final = frozenset({KindName("v1", "Pod"), KindName("apps/v1", "ReplicaSet")})
"""Kinds that no instance needs to name: they tell why a Deployment or Job is not well."""

JOB: Final = KindName("batch/v1", "Job")
CRON_JOB: Final = KindName("batch/v1", "CronJob")

UNWATCHED: Final = frozenset({KindName("v1", "Secret")})
"""Kinds that the agent does not look at, so that it needs no right to read them."""

WITHOUT_STATE: Final = frozenset(
    {
        KindName("v1", "ConfigMap"),
        KindName("v1", "ServiceAccount"),
        KindName("v1", "Endpoints"),
        KindName("discovery.k8s.io/v1", "EndpointSlice"),
        KindName("rbac.authorization.k8s.io/v1", "Role"),
        KindName("rbac.authorization.k8s.io/v1", "RoleBinding"),
        KindName("rbac.authorization.k8s.io/v1", "ClusterRole"),
        KindName("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        KindName("networking.k8s.io/v1", "NetworkPolicy"),
    }
)
"""Kinds that are healthy if they are there: of these the agent asks for no more than the metadata."""

LASTING: Final = 60.0
"""Seconds after which a watch that ends is looked for again at once, whatever failed before."""


def watched_for(kinds: Set[KindName]) -> frozenset[KindName]:
    """What is watched for objects of these kinds: themselves, and those that tell why they are not well."""
    jobs = {JOB} if CRON_JOB in kinds else set()
    return frozenset((kinds | EXPLAINING | jobs) - UNWATCHED) if kinds else frozenset()


class KindWatches:
    """Keeps one reflector running per wanted kind. `on_sight` is called when what can be said of a kind changes."""

    def __init__(
        self, transport: Transport, runtime: str, objects: Objects, on_sight: Callable[[KindName], None]
    ) -> None:
        self._transport = transport
        self._selector = f"{INSTANCE_LABEL},{selector_of(runtime)}"
        self._objects = objects
        self._on_sight = on_sight
        self._tasks: dict[KindName, asyncio.Task[None]] = {}

    def want(self, kinds: Set[KindName]) -> None:
        """Starts and stops reflectors so that exactly these kinds, and those that explain them, are watched."""
        wanted = watched_for(kinds)
        for kind in set(self._tasks) - wanted:
            self._tasks.pop(kind).cancel()
            self._objects.forget_kind(kind)
        for kind in wanted - set(self._tasks):
            self._tasks[kind] = asyncio.create_task(self._follow(kind), name=f"watch {kind.kind}")

    async def stop(self) -> None:
        """Ends all reflectors."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, kind: KindName) -> None:
        """Watches the kind as long as it exists, and looks out for it while it does not."""
        attempt, loop = 0, asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                collection = await find_collection(self._transport, kind)
                if collection is None:
                    self._tell(kind, Sight.ABSENT)
                else:
                    sink = KindSink(kind, self._objects, self._on_sight)
                    query = {"labelSelector": self._selector}
                    brief = kind in WITHOUT_STATE
                    await Reflector(self._transport, collection.path, query, sink, metadata_only=brief).run()
            except NotFound:
                self._objects.keep_only(kind, set())
            except Forbidden as error:
                logger.warning("%s in %s cannot be watched: %s", kind.kind, kind.api_version, error.message)
                self._tell(kind, Sight.DENIED)
            except ApiError as error:
                logger.warning("%s in %s cannot be looked up: %s", kind.kind, kind.api_version, error.message)
                if has_answered(error):
                    self._tell(kind, Sight.FAILING, error.message)
            except Exception as error:
                # An answer that nobody has thought of must not keep the other kinds from being watched.
                logger.exception("%s in %s cannot be watched", kind.kind, kind.api_version)
                self._tell(kind, Sight.FAILING, repr(error))
            if loop.time() - begun > LASTING:
                attempt = 0
            await asyncio.sleep(retry_delay(attempt, first=1, longest=30))
            attempt += 1

    def _tell(self, kind: KindName, sight: Sight, why: str = "") -> None:
        if self._objects.set_sight(kind, sight, why):
            self._on_sight(kind)
