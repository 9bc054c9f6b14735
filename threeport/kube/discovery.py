"""Which kinds a cluster has, asked for group by group when they are needed.

The client library's own discovery keeps a file per cluster and asks for all groups again whenever one kind is missing;
workloads bring kinds of their own, so a missing kind is common, and its absence has to be cheap and short-lived.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from threeport.common.types import JsonObject
from threeport.kube.errors import KindUnknown, not_kubernetes

ABSENCE_LASTS: Final = 30.0
"""Seconds for which a kind that was not found is not looked for again, unless somebody says that it should be."""


class ApiResource(NamedTuple):
    """Where the objects of a kind are: the plural in the path, and whether they are in namespaces."""

    api_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None) -> str:
        """A path with placeholders, to be filled by the client, which quotes."""
        root = "/apis" if "/" in self.api_version else "/api"
        middle = "/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}/{self.api_version}{middle}/{self.plural}{'/{name}' if name else ''}"


class Discovery:
    """The kinds of the cluster at `endpoint`. `fetch` gets what it answers at a path, None if there is nothing."""

    def __init__(self, fetch: Callable[[str], Awaitable[JsonObject | None]], endpoint: str) -> None:
        self._fetch = fetch
        self._endpoint = endpoint
        self._known: dict[str, Mapping[str, ApiResource]] = {}
        self._versions: dict[str, list[str]] = {}
        self._asked: dict[str, float] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, api_version: str, kind: str) -> ApiResource:
        """The resource of a kind. Raises `KindUnknown` if the cluster does not have it (now), `ClusterUnreachable` if
        it is not a cluster that says so."""
        found = self._known.get(api_version, {}).get(kind)
        if found is not None:
            return found
        async with self._asking[api_version]:  # many begin with the same cluster at a time: one asks for all
            is_known = kind in self._known.get(api_version, {})
            if not is_known and time.monotonic() - self._asked.get(api_version, -ABSENCE_LASTS) >= ABSENCE_LASTS:
                await self._refresh(api_version, kind)
        found = self._known.get(api_version, {}).get(kind)
        if found is None:
            raise KindUnknown(
                f"the cluster knows no kind {kind} in {api_version}; it will be tried again, in case that its "
                "CustomResourceDefinition is on its way"
            )
        return found

    async def find_stored(self, api_version: str, kind: str) -> ApiResource:
        """As `find`, but in whatever version of its group the cluster has the kind: objects outlive the version in
        which they were made."""
        try:
            return await self.find(api_version, kind)
        except KindUnknown:
            for other in self._versions.get(_group_of(api_version), ()):
                if other != api_version and (found := await self._find_or_none(other, kind)) is not None:
                    return found
            raise

    async def find_anew(self, known: ApiResource, kind: str) -> ApiResource:
        """As `find_stored`, since at the path of the one that is `known` there was nothing."""
        self.forget(known.api_version)
        return await self.find_stored(known.api_version, kind)

    def forget_absence(self) -> None:
        """Look again for kinds that were missing: a CustomResourceDefinition has just been applied."""
        self._asked.clear()

    def forget(self, api_version: str) -> None:
        """Ask anew for this group version: a path of it was not there."""
        self._known.pop(api_version, None)
        self._asked.pop(api_version, None)

    async def _find_or_none(self, api_version: str, kind: str) -> ApiResource | None:
        try:
            return await self.find(api_version, kind)
        except KindUnknown:
            return None

    async def _refresh(self, api_version: str, kind: str) -> None:
        answer = await self._fetch(f"{'/apis' if '/' in api_version else '/api'}/{api_version}")
        found = {
            entry["kind"]: ApiResource(api_version, entry["name"], bool(entry.get("namespaced")))
            for entry in (answer or {}).get("resources") or ()
            if "/" not in entry["name"]
        }
        if kind not in found:
            await self._look_at_groups()
        self._known[api_version], self._asked[api_version] = found, time.monotonic()

    async def _look_at_groups(self) -> None:
        """Which versions there are of which group. What cannot tell is no cluster, such as a load balancer that says
        of everything that there is no such thing: no kind is missing for that."""
        answer = await self._fetch("/apis") or {}
        if answer.get("kind") != "APIGroupList":
            raise not_kubernetes(self._endpoint, "no list of API groups")
        self._versions = {
            group["name"]: [one["groupVersion"] for one in group.get("versions") or ()]
            for group in answer.get("groups") or ()
        }


def _group_of(api_version: str) -> str:
    return api_version.rpartition("/")[0]
