"""Taking what an instance has made out of its cluster: rank by rank in reverse, in the foreground, namespaces last.

Only what the inventory names *and* carries the label of the instance is deleted; a namespace or a kind only if nobody
else keeps anything in it (`keeping`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from operators.workload.applying import delete_all
from operators.workload.going import OF_THE_GARBAGE_COLLECTOR, describe_going, holders_of, is_held_by_content
from operators.workload.inventory import id_of
from operators.workload.keeping import Holdings, kind_defined_by, spare_shared
from operators.workload.observation import observe
from operators.workload.plan import Live
from operators.workload.strangers import kinds_with
from threeport.common.types import FrozenJson
from threeport.kube.cluster import Cluster
from threeport.kube.labels import INSTANCE_LABEL
from threeport.kube.ordering import in_reverse, rank_of
from threeport.kube.threeport_workload import threeport_workload_kind, threeport_workload_name
from threeport.resources.manifests import ObjectId

SHORTEST_PACE, LONGEST_PACE = 0.5, 60.0
"""Seconds between looks at what is being deleted."""

NAMED = 5
"""How many of the objects that remain a message names."""


async def take_out(
    holdings: Holdings, *, check_lease: Callable[[], None], tell: Callable[[ObjectId, str], Awaitable[None]]
) -> str:
    """Does what can be done now. Returns what remains and why, as part of a sentence; an empty text when all is gone.

    `tell` is called with what has to stay, and why.
    """
    cluster, inventory = holdings.cluster, holdings.inventory
    asked, kept = set[ObjectId](), set[ObjectId]()
    while True:
        live = await observe(cluster, inventory, holdings.uid)
        left = live.keys() - kept
        remaining = in_reverse([dict(item) for item in inventory if id_of(item) in left])
        if not remaining:
            return ""
        first = [item for item in remaining if rank_of(item["kind"]) == rank_of(remaining[0]["kind"])]
        spared = await spare_shared(holdings, first, live, check_lease)
        for identity, sentence in spared.items():
            await tell(identity, sentence)
        kept |= spared.keys()  # whatever its labels: somebody may put them on it again
        first = [item for item in first if id_of(item) not in spared]
        going = {id_of(item) for item in first}
        await delete_all(cluster, first, live, check_lease)
        if going <= asked and not spared:
            held = await _held_pods(cluster, first, live, holdings.uid)
            held += await _held_in_namespaces(cluster, live, inventory) + await _held_of_kinds(cluster, live)
            return _what_remains(remaining, live) + held
        asked |= going


def pace_of_waiting(since: str | None) -> float:
    """Seconds until the next look at a deletion that began at `since`: a tenth of what it has taken so far.

    Counting attempts would not do: each rank that goes is progress, and the next one deserves a quick look again.
    """
    if since is None:
        return SHORTEST_PACE * 4
    taken = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
    return min(max(taken / 10, SHORTEST_PACE), LONGEST_PACE)


async def forget(cluster: Cluster, instance: str, uid: str) -> None:
    """Tells the agent that the instance is no more: its object in the cluster goes. Last of all, since until then the
    agent reports what is left."""
    kind, name = threeport_workload_kind(), threeport_workload_name(instance, uid)
    found = await cluster.get(kind.api_version, kind.kind, name)
    if found is not None:
        found_uid = found["metadata"]["uid"]
        await cluster.delete(kind.api_version, kind.kind, name, None, uid=found_uid, foreground=False)


async def _held_pods(cluster: Cluster, going: Sequence[FrozenJson], live: Live, uid: str) -> str:
    """Pods that somebody else holds, as part of a sentence: objects that wait for them say nothing of it."""
    waits = any(OF_THE_GARBAGE_COLLECTOR in (live[id_of(item)]["metadata"].get("finalizers") or ()) for item in going)
    pods = await cluster.list("v1", "Pod", label_selector=f"{INSTANCE_LABEL}={uid}") if waits else []
    held = [describe_going(pod) for pod in pods if holders_of(pod)]
    return f"; among its pods {', '.join(held[:NAMED])}" if held else ""


async def _held_in_namespaces(cluster: Cluster, live: Live, inventory: Sequence[FrozenJson]) -> str:
    """What somebody else holds in namespaces that cannot go for it, as part of a sentence: they do not name it."""
    stuck = [str(obj["metadata"]["name"]) for obj in live.values() if is_held_by_content(obj)]
    lists = await asyncio.gather(
        *(
            cluster.list(*kind, namespace=namespace, metadata_only=True)
            for namespace in stuck
            for kind in kinds_with(inventory)
        )
    )
    held = [describe_going(obj) for found in lists for obj in found if holders_of(obj)]
    return f"; in it {', '.join(held[:NAMED])}" if held else ""


async def _held_of_kinds(cluster: Cluster, live: Live) -> str:
    """What somebody else holds of kinds that cannot go for it, as part of a sentence: they do not name it."""
    definitions = [obj for obj in live.values() if obj["kind"] == "CustomResourceDefinition" and holders_of(obj)]
    lists = await asyncio.gather(*(cluster.list(*kind_defined_by(one), metadata_only=True) for one in definitions))
    held = [describe_going(obj) for found in lists for obj in found if holders_of(obj)]
    return f"; of its kind {', '.join(held[:NAMED])}" if held else ""


def _what_remains(remaining: Sequence[FrozenJson], live: Live) -> str:
    named = [describe_going(live[id_of(item)]) for item in remaining[:NAMED]]
    more = len(remaining) - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
