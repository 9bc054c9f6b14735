"""From ``apiVersion`` and ``kind`` to the path of the collection. Asked anew each time: kinds come and go."""

from __future__ import annotations

from agent.cluster.identity import Collection, KindName
from threeport.client.objects import decode_json
from threeport.client.transport import Transport
from threeport.common.errors import NotFound


async def find_collection(transport: Transport, kind: KindName) -> Collection | None:
    """Where objects of this kind are; None if the cluster does not know it (yet), or it cannot be watched."""
    root = "/apis" if "/" in kind.api_version else "/api"
    base = f"{root}/{kind.api_version}"
    try:
        answer = decode_json((await transport.request("GET", base)).body)
    except NotFound:
        return None
    for resource in answer.get("resources") or ():
        if resource["kind"] == kind.kind and "/" not in resource["name"] and "watch" in resource["verbs"]:
            return Collection(f"{base}/{resource['name']}", bool(resource["namespaced"]))
    return None
