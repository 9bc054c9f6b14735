"""Which kinds a server has: from its discovery documents to a `Catalog`, so that new kinds work at once."""

from __future__ import annotations

import asyncio

from threeport.client.objects import decode_json
from threeport.client.transport import Transport
from threeport.common.types import JsonObject
from threeport.resources.kind import Catalog, Kind


async def discover(transport: Transport) -> Catalog:
    """All kinds that the server serves, the core group first, each in the version that the server prefers."""
    groups = decode_json((await transport.request("GET", "/apis")).body)["groups"]
    versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
    lists = await asyncio.gather(*(_resources(transport, version) for version in versions))
    return Catalog([kind for version, found in zip(versions, lists, strict=True) for kind in _kinds(version, found)])


async def _resources(transport: Transport, group_version: str) -> list[JsonObject]:
    root = "/apis" if "/" in group_version else "/api"
    found: list[JsonObject] = decode_json((await transport.request("GET", f"{root}/{group_version}")).body)["resources"]
    return found


def _kinds(group_version: str, resources: list[JsonObject]) -> list[Kind]:
    """The kinds of one group and version; ``workloads/status`` says that workloads have a status subresource."""
    group, _, version = group_version.rpartition("/")
    names = {entry["name"] for entry in resources}
    return [
        Kind(
            kind=entry["kind"],
            plural=entry["name"],
            singular=entry.get("singularName") or entry["kind"].lower(),
            group=group,
            version=version,
            namespaced=entry["namespaced"],
            short_names=tuple(entry.get("shortNames") or ()),
            categories=tuple(entry.get("categories") or ()),
            has_status=f"{entry['name']}/status" in names,
        )
        for entry in resources
        if "/" not in entry["name"] and "list" in entry.get("verbs", ())
    ]
