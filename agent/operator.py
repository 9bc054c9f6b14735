"""The agent's kopf operator: it follows the ThreeportWorkloads of the cluster, and starts and stops the rest.

kopf writes nothing into the cluster: raw event handlers need no finalizers and no annotations, so the agent gets by
with the right to read.
"""

from __future__ import annotations

from typing import Any

import kopf

from agent.cluster.access import kopf_connection
from agent.settings import AgentSettings
from agent.watcher import Watcher
from threeport.kube.labels import selector_of
from threeport.kube.threeport_workload import threeport_workload_kind


async def run(settings: AgentSettings) -> None:
    """Runs the agent until a signal tells it to stop."""
    watcher = Watcher(settings)
    registry = build_registry(settings, watcher)
    await kopf.operator(registry=registry, clusterwide=True, standalone=True, stop_flag=watcher.ending)


def build_registry(settings: AgentSettings, watcher: Watcher) -> kopf.OperatorRegistry:
    """The handlers, in a registry of their own."""
    registry = kopf.OperatorRegistry()
    workloads, runtime = threeport_workload_kind(), settings.runtime

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.posting.enabled = False
        settings.queueing.idle_timeout = 1.0
        settings.watching.chunk_size = 250
        settings.watching.label_selectors[workloads.group, workloads.plural] = selector_of(runtime)
        await watcher.start()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf_connection(settings.cluster)

    @kopf.on.event(workloads.group, workloads.plural, registry=registry)
    async def follow(event: kopf.RawEvent, **_: Any) -> None:
        workload = event["object"]
        if event["type"] == "DELETED":
            watcher.workload_gone(workload["spec"]["instance"]["uid"])
        else:
            watcher.workload_seen(workload)

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await watcher.stop()

    return registry
