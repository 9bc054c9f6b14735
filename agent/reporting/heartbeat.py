"""The heartbeat: every half minute the agent says that it lives, so that old reports are not taken for fresh ones.

So an agent that its cluster does not answer, or turns away, gives no sign of life: what it has told is getting old.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from agent.metrics import WRITES
from threeport import __version__
from threeport.client import Client
from threeport.common.delays import retry_delay
from threeport.common.errors import ApiError
from threeport.resources.kubernetes_runtime import AgentHeartbeat, AgentHeartbeatSpec, KubernetesRuntimeInstance
from threeport.resources.model import ObjectMeta, Reference, kind_of

logger = logging.getLogger(__name__)

INTERVAL: Final = 30.0
"""Seconds between two signs of life."""
FIELD_MANAGER: Final = "threeport-agent"


class Heartbeat:
    """The signs of life of the agent of one runtime. `look` is how it sees its cluster, and raises `ApiError`."""

    def __init__(self, client: Client, runtime: str, look: Callable[[], Awaitable[object]]) -> None:
        self._look = look
        self._client = client
        self._runtime = runtime
        self._runtime_uid: str | None = None

    async def run(self) -> None:
        """Gives a sign of life again and again, without end."""
        failures = 0
        while True:
            try:
                await self.beat()
                WRITES.labels("heartbeat", "done").inc()
                failures = 0
                await asyncio.sleep(INTERVAL)
            except ApiError as error:
                WRITES.labels("heartbeat", "failed").inc()
                logger.warning("No sign of life can be given: %s", error.message)
                await asyncio.sleep(retry_delay(failures, first=1.0, longest=INTERVAL))
                failures += 1

    async def beat(self) -> None:
        """Gives one sign of life. Raises `ApiError`, also when the cluster cannot be looked at."""
        await self._look()
        owner = {
            "apiVersion": kind_of(KubernetesRuntimeInstance).api_version,
            "kind": kind_of(KubernetesRuntimeInstance).kind,
            "name": self._runtime,
            "uid": await self._uid(),
        }
        heartbeat = AgentHeartbeat(
            metadata=ObjectMeta(name=self._runtime, owner_references=[owner]),
            spec=AgentHeartbeatSpec(
                runtime_ref=Reference(name=self._runtime),
                renew_time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                agent_version=__version__,
            ),
        )
        await self._client.apply(heartbeat, field_manager=FIELD_MANAGER, force=True, strict=False)

    async def _uid(self) -> str | None:
        """The uid of the runtime, so that the heartbeat goes with it."""
        if self._runtime_uid is None:
            self._runtime_uid = (await self._client.get(KubernetesRuntimeInstance, self._runtime)).metadata.uid
        return self._runtime_uid
