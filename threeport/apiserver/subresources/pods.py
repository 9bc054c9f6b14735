"""``GET .../workloadinstances/{name}/pods``: the pods of an instance, as they are in its cluster now."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from threeport.apiserver.subresources.placement import Placements
from threeport.common.errors import MethodNotAllowed
from threeport.common.types import JsonObject
from threeport.krm.answers import json_answer
from threeport.krm.interfaces import Caller
from threeport.krm.paths import Target
from threeport.kube.pods import Pod

MOST_PODS: Final = 1000
"""Pods that are shown; `total` says how many there are."""


class PodsView:
    """Answers the subresource ``pods``."""

    def __init__(self, placements: Placements) -> None:
        self._placements = placements

    async def answer(self, request: web.Request, _caller: Caller, target: Target) -> web.StreamResponse:
        """The pods, each under the object of the instance that it is there for (``owner``)."""
        if request.method != "GET":
            raise MethodNotAllowed("The pods of an instance are read with GET; Kubernetes makes and removes them.")
        placement = await self._placements.of(target)
        async with placement.cluster() as cluster:
            pods = await placement.pods(cluster)
            with placement.told():
                sets = await cluster.list("apps/v1", "ReplicaSet", label_selector=placement.selector)
        above = {one["metadata"]["name"]: Pod(one).owner for one in sets}
        inventory = (placement.instance.get("status") or {}).get("inventory") or []
        named = {(item["kind"], item["name"]) for item in inventory}
        shown = [{**pod.summary(), "owner": _owner(pod, above, named)} for pod in pods[:MOST_PODS]]
        body: JsonObject = {
            "apiVersion": target.kind.api_version,
            "kind": "WorkloadInstancePods",
            "runtime": placement.runtime,
            "simulated": placement.simulated,
            "total": len(pods),
            "pods": shown,
        }
        return json_answer(body)


def _owner(pod: Pod, above: dict[str, tuple[str, str] | None], named: set[tuple[str, str]]) -> str:
    """The object of the instance on whose behalf a pod is there: that above the ReplicaSet or Job that made it."""
    owner = pod.owner
    if owner is None:
        return ""
    if owner[0] == "ReplicaSet" and owner not in named:
        owner = above.get(owner[1]) or owner
    if pod.cron_job and owner not in named:
        owner = ("CronJob", pod.cron_job)
    return "/".join(owner)
