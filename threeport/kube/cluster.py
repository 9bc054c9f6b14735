"""One tenant cluster: server-side apply, get, list and delete of objects of any kind.

Built on the asynchronous client of Kubernetes, of which it uses the connection (TLS, credentials, pool). Every request
has timeouts, no more than `REQUESTS` are under way at a time, and redirects are refused: credentials go nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias

from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.access import ClusterAccess
from threeport.kube.connection import api_client
from threeport.kube.discovery import ApiResource, Discovery
from threeport.kube.errors import ClusterError, KindUnknown, from_answer, not_kubernetes, says_absent
from threeport.kube.exchange import JSON, Request, exchange, object_in
from threeport.kube.outage import Outage

FIELD_MANAGER: Final = "threeport"
REQUESTS: Final = 16
"""Requests under way to one cluster; kube-apiserver's own clients default to bursts of 10."""

CONNECTIONS: Final = REQUESTS + 1
"""One more, for the question whether a cluster is back."""

PAGE: Final = 500
APPLY: Final = "application/apply-patch+yaml"
MERGE_PATCH: Final = "application/merge-patch+json"
METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


Objects: TypeAlias = list[JsonObject]


class _NothingThere(Exception):
    """A 404 for a path that should lead to something."""


class Cluster:
    """Access to one cluster. All methods raise a `ClusterError`, sorted by what to do about it."""

    def __init__(self, access: ClusterAccess) -> None:
        """Raises `AccessDenied` for certificates that are none."""
        self.access = access
        self._api: ApiClient | None = api_client(access, connections=CONNECTIONS)
        self._gate = asyncio.Semaphore(REQUESTS)
        self._under_way = 0
        self._is_closed = False
        self._outage = Outage(self._ask_anything)
        self._discovery = Discovery(self._discovered, access.endpoint)

    async def close(self) -> None:
        """Closes all connections, those of requests under way when these have ended.

        Whoever still holds the handle (the credentials have changed in the middle of a reconcile) may go on with it,
        on a connection for each request.
        """
        self._is_closed = True
        self._outage.close()
        await self._close_unless_used()

    async def _close_unless_used(self) -> None:
        if self._api is not None and not self._under_way:
            # A client that is closed opens no more: who goes on needs a new one.
            former, self._api = self._api, None
            await former.close()  # type: ignore[no-untyped-call]

    async def version(self) -> str:
        """The version of its API server, ``v1.36.1``."""
        version = (await self._discovered("/version") or {}).get("gitVersion")
        if version is None:
            raise not_kubernetes(self.access.endpoint, "no version")
        return str(version)

    async def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Whether objects of the kind are in namespaces. Raises `KindUnknown`."""
        return (await self._discovery.find(api_version, kind)).namespaced

    def look_again_for_kinds(self) -> None:
        """A CustomResourceDefinition has been applied: kinds that were missing may be there now."""
        self._discovery.forget_absence()

    async def apply(self, manifest: FrozenJson, *, dry_run: bool = False) -> JsonObject:
        """Server-side apply with `FIELD_MANAGER`, taking over fields that others changed. Returns the object."""
        resource = await self._discovery.find(manifest["apiVersion"], manifest["kind"])
        metadata = manifest["metadata"]
        query = {"fieldManager": FIELD_MANAGER, "force": "true", "fieldValidation": "Strict"}
        return await self._required(
            Request(
                method="PATCH",
                path=resource.path(metadata.get("namespace"), metadata["name"]),
                names={"namespace": metadata.get("namespace") or "", "name": metadata["name"]},
                query=query | ({"dryRun": "All"} if dry_run else {}),
                body=manifest,
                content_type=APPLY,
                subject=_subject(manifest["kind"], metadata.get("namespace"), metadata["name"]),
            )
        )

    async def create(self, manifest: FrozenJson, *, subresource: str = "", dry_run: bool = False) -> JsonObject:
        """Creates the object, or posts to a `subresource` of it (``token`` of a ServiceAccount).

        With `dry_run` the cluster only says whether it would: it checks before it looks whether the name is taken.
        """
        kind, metadata = manifest["kind"], manifest["metadata"]
        owner = "ServiceAccount" if subresource == "token" else kind
        resource = await self._discovery.find("v1" if subresource == "token" else manifest["apiVersion"], owner)
        name = metadata["name"] if subresource else None
        path = resource.path(metadata.get("namespace"), name) + (f"/{subresource}" if subresource else "")
        return await self._required(
            Request(
                method="POST",
                path=path,
                names={"namespace": metadata.get("namespace") or "", "name": metadata["name"]},
                query={"dryRun": "All", "fieldValidation": "Strict"} if dry_run else {},
                body=manifest,
                subject=_subject(kind, metadata.get("namespace"), metadata["name"]),
            )
        )

    async def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> JsonObject | None:
        """The object, or None if there is none, also where the cluster does not know the kind."""
        try:
            resource = await self._discovery.find_stored(api_version, kind)
        except KindUnknown:
            return None
        names = {"namespace": namespace or "", "name": name}
        subject = _subject(kind, namespace, name)
        request = Request(path=resource.path(namespace, name), names=names, subject=subject)
        found = await self._optional(request, resource, kind)
        if found is not None and not isinstance(found.get("metadata"), dict):
            raise not_kubernetes(self.access.endpoint, "no object")
        return found

    async def list(
        self,
        api_version: str,
        kind: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        namespace: str | None = None,
        name: str = "",
        metadata_only: bool = False,
    ) -> Objects:
        """The objects of a kind, read page by page; none if the cluster does not know the kind.

        Without `namespace` those of all namespaces. With `name` only the one of this name, which saves the cluster
        from going through all. With `metadata_only` nothing else of them is sent: no value of a Secret, no spec.
        Where the cluster has the kind in another version of its group only, they are of that version.
        """
        fields = ",".join(filter(None, (f"metadata.name={name}" if name else "", field_selector)))
        given = {"limit": str(PAGE), "labelSelector": label_selector, "fieldSelector": fields}
        query = {key: value for key, value in given.items() if value}
        accept = METADATA if metadata_only else JSON
        try:
            resource = await self._discovery.find_stored(api_version, kind)
            try:
                return await self._pages(resource, kind, namespace, query, accept)
            except _NothingThere:
                resource = await self._discovery.find_anew(resource, kind)
                return await self._pages(resource, kind, namespace, query, accept)
        except KindUnknown:
            return []
        except _NothingThere:
            raise not_kubernetes(self.access.endpoint, f"404 where its objects of kind {kind} are") from None

    async def _pages(
        self, resource: ApiResource, kind: str, namespace: str | None, query: Mapping[str, str], accept: str
    ) -> Objects:
        """Raises `_NothingThere` for a path at which there is nothing."""
        items: Objects = []
        path, names, more = resource.path(namespace, None), {"namespace": namespace or ""}, ""
        subject = f"objects of kind {kind}" + (f" in {namespace}" if namespace else "")
        while True:
            asked = {**query, "continue": more} if more else query
            request = Request(path=path, names=names, query=asked, accept=accept, subject=subject)
            page = await self._list_at(request)
            items += ({**item, "apiVersion": resource.api_version, "kind": kind} for item in page.get("items") or ())
            more = str((page.get("metadata") or {}).get("continue") or "")
            if not more:
                return items

    async def _list_at(self, request: Request) -> JsonObject:
        try:
            page = await self._send(request)
        except ApiException as error:
            if error.status == 404:
                raise _NothingThere from None
            raise _told(error, request) from None
        if not str(page.get("kind")).endswith("List"):
            raise not_kubernetes(self.access.endpoint, "no list")
        return page

    async def delete(
        self, api_version: str, kind: str, name: str, namespace: str | None, *, uid: str, foreground: bool = True
    ) -> None:
        """Asks for deletion; in the foreground the object stays until what it owns is gone. Gone is no error.

        `uid` protects a later object of the same name.
        """
        try:
            resource = await self._discovery.find_stored(api_version, kind)
        except KindUnknown:
            return
        policy = "Foreground" if foreground else "Background"
        options = {"propagationPolicy": policy, "preconditions": {"uid": uid}}
        request = Request(
            method="DELETE",
            path=resource.path(namespace, name),
            names={"namespace": namespace or "", "name": name},
            body={"apiVersion": "v1", "kind": "DeleteOptions", **options},
            subject=_subject(kind, namespace, name),
        )
        await self._optional(request, resource, kind)

    async def release(self, obj: FrozenJson, labels: Iterable[str], annotations: Iterable[str]) -> None:
        """Takes labels and annotations off an object, whoever set them; the rest of it stays as it is."""
        metadata = obj["metadata"]
        resource = await self._discovery.find_stored(obj["apiVersion"], obj["kind"])
        change = {
            "uid": metadata["uid"],
            "labels": dict.fromkeys(labels),
            "annotations": dict.fromkeys(annotations),
        }
        namespace, name = metadata.get("namespace"), metadata["name"]
        request = Request(
            method="PATCH",
            path=resource.path(namespace, name),
            names={"namespace": namespace or "", "name": name},
            query={"fieldManager": FIELD_MANAGER},
            body={"metadata": change},
            content_type=MERGE_PATCH,
            subject=_subject(obj["kind"], namespace, name),
        )
        await self._optional(request, resource, obj["kind"])

    async def _discovered(self, path: str) -> JsonObject | None:
        request = Request(path=path)
        try:
            return await self._send(request)
        except ApiException as error:
            if error.status == 404:
                return None
            raise _told(error, request) from None

    async def _optional(self, request: Request, resource: ApiResource, kind: str) -> JsonObject | None:
        """As `_required`, with None for an object that is not there; what only seems so is found out."""
        try:
            return await self._send(request)
        except ApiException as error:
            if error.status != 404:
                raise _told(error, request) from None
            if not says_absent(error, request.names["name"]):
                with suppress(KindUnknown):
                    await self._discovery.find_anew(resource, kind)
            return None

    async def _required(self, request: Request) -> JsonObject:
        try:
            return await self._send(request)
        except ApiException as error:
            if error.status == 404:
                self._forget_kind(request.path)
            raise _told(error, request) from None

    def _forget_kind(self, path: str) -> None:
        """A 404 on a collection may mean that the kind itself has gone: ask anew next time."""
        parts = path.strip("/").split("/")
        self._discovery.forget("/".join(parts[1:3]) if parts[0] == "apis" else parts[1])

    async def _send(self, request: Request) -> JsonObject:
        await self._outage.admit()
        async with self._gate, self._connection() as api:
            self._outage.check()  # it may have gone while this waited for its turn
            with self._outage.request():
                answer = await exchange(api, request, self.access.endpoint)
        return object_in(answer, self.access.endpoint)

    async def _ask_anything(self) -> None:
        """Any answer shows that the cluster is there."""
        async with self._connection() as api:
            await exchange(api, Request(path="/version"), self.access.endpoint)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ApiClient]:
        """The client; after the last use of a handle that is closed nothing stays open."""
        self._under_way += 1
        try:
            self._api = self._api or api_client(self.access, connections=CONNECTIONS)
            yield self._api
        finally:
            self._under_way -= 1
            if self._is_closed:
                await self._close_unless_used()


def _told(error: ApiException, request: Request) -> ClusterError:
    """Raised ``from None``: the answer as it came, which may repeat what was sent, is not for logs."""
    return from_answer(error, request.subject or request.path, request.body)


def _subject(kind: str, namespace: str | None, name: str) -> str:
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
