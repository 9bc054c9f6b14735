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
from threeport.kube.errors import KindUnknown

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
    """The kinds of one cluster. `fetch` gets the ``APIResourceList`` of a group version, None if there is none."""

    def __init__(self, fetch: Callable[[str], Awaitable[JsonObject | None]]) -> None:
        self._fetch = fetch
        self._known: dict[str, Mapping[str, ApiResource]] = {}
        self._asked: dict[str, float] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, api_version: str, kind: str) -> ApiResource:
        """The resource of a kind. Raises `KindUnknown` if the cluster does not have it (now)."""
        found = self._known.get(api_version, {}).get(kind)
        if found is not None:
            return found
        async with self._asking[api_version]:  # many begin with the same cluster at a time: one asks for all
            is_known = kind in self._known.get(api_version, {})
            if not is_known and time.monotonic() - self._asked.get(api_version, -ABSENCE_LASTS) >= ABSENCE_LASTS:
                await self._refresh(api_version)
        found = self._known.get(api_version, {}).get(kind)
        if found is None:
            raise KindUnknown(
                f"the cluster knows no kind {kind} in {api_version}; it will be tried again, in case that its "
                "CustomResourceDefinition is on its way"
            )
        return found

    def forget_absence(self) -> None:
        """Look again for kinds that were missing: a CustomResourceDefinition has just been applied."""
        self._asked.clear()

    def forget(self, api_version: str) -> None:
        """Ask anew for this group version: a path of it was not there."""
        self._known.pop(api_version, None)
        self._asked.pop(api_version, None)

    async def _refresh(self, api_version: str) -> None:
        answer = await self._fetch(f"{'/apis' if '/' in api_version else '/api'}/{api_version}")
        self._asked[api_version] = time.monotonic()
        self._known[api_version] = {
            entry["kind"]: ApiResource(api_version, entry["name"], bool(entry.get("namespaced")))
            for entry in (answer or {}).get("resources") or ()
            if "/" not in entry["name"]
        }
