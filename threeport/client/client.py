"""The client: objects of the API, typed by their models or as plain JSON by their kinds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypedDict, TypeVar, Unpack, cast, overload

from threeport.client.config import ClientSettings
from threeport.client.discovery import discover
from threeport.client.objects import declared_kind, decode_json, decoded, encode_json, encoded
from threeport.client.paths import collection_path, object_path
from threeport.client.transactions import TRANSACTIONS_PATH, Operation
from threeport.client.transport import Transport
from threeport.client.watch import Watch, WatchEvent
from threeport.common.errors import NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Catalog, Kind
from threeport.store.records import Key

if TYPE_CHECKING:
    from threeport.resources.model import Resource

R = TypeVar("R", bound="Resource")
T = TypeVar("T")

FIELD_MANAGER = "threeport-client"
PAGE = 500
"""Objects per request when a list is read as a whole."""

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


class Selection(TypedDict, total=False):
    """Which objects of a collection are meant; all of them without any of these."""

    label_selector: str
    """``app=web,tier in (a,b)``"""
    field_selector: str
    """``metadata.name=x``"""
    referring_to: Key | None
    """Only objects that refer to this one."""


class Listed(NamedTuple, Generic[T]):
    """The objects found, and the revision to watch from."""

    items: list[T]
    resource_version: str


class Client:
    """Access to one API server. Use it as ``async with Client(settings) as client``, or call `close`.

    Where a method takes `what`, give a model class (``Workload``) and get models, or a `Kind` and get plain JSON.
    All methods raise subclasses of `threeport.common.errors.ApiError` with the server's message; `Unreachable` if
    there was no answer.
    """

    def __init__(self, settings: ClientSettings, *, on_warning: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self.transport = Transport(settings, on_warning=on_warning)
        self._catalog: Catalog | None = None

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        await self.transport.close()

    # -- reading ---------------------------------------------------------------------------------------------------

    @overload
    async def get(self, what: type[R], name: str, namespace: str | None = None, *, reveal: bool = False) -> R: ...
    @overload
    async def get(self, what: Kind, name: str, namespace: str | None = None, *, reveal: bool = False) -> JsonObject: ...
    async def get(
        self, what: type[R] | Kind, name: str, namespace: str | None = None, *, reveal: bool = False
    ) -> R | JsonObject:
        """One object; with `reveal` its sensitive fields are in clear. Raises `NotFound`."""
        query = {"reveal": "true"} if reveal else {}
        answer = await self.transport.request("GET", object_path(declared_kind(what), name, namespace), query=query)
        return self._result(what, answer.body)

    @overload
    async def find(self, what: type[R], name: str, namespace: str | None = None) -> R | None: ...
    @overload
    async def find(self, what: Kind, name: str, namespace: str | None = None) -> JsonObject | None: ...
    async def find(self, what: type[R] | Kind, name: str, namespace: str | None = None) -> R | JsonObject | None:
        """As `get`, with None for an object that does not exist."""
        try:
            return await self.get(what, name, namespace)
        except NotFound:
            return None

    @overload
    async def list(self, what: type[R], namespace: str | None = None, **selection: Unpack[Selection]) -> Listed[R]: ...
    @overload
    async def list(
        self, what: Kind, namespace: str | None = None, **selection: Unpack[Selection]
    ) -> Listed[JsonObject]: ...
    async def list(
        self, what: type[R] | Kind, namespace: str | None = None, **selection: Unpack[Selection]
    ) -> Listed[R] | Listed[JsonObject]:
        """All objects of a kind, in one namespace or (None) in all, read page by page."""
        kind = declared_kind(what)
        query = query_of(selection)
        items: list[JsonObject] = []
        more = ""
        while True:
            asked = {**query, "limit": str(PAGE), **({"continue": more} if more else {})}
            answer = decode_json(
                (await self.transport.request("GET", collection_path(kind, namespace), query=asked)).body
            )
            items += ({"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in answer.get("items") or ())
            more = answer["metadata"].get("continue") or ""
            if not more:
                break
        revision = answer["metadata"]["resourceVersion"]
        if isinstance(what, Kind):
            return Listed(items, revision)
        return Listed([decoded(what, item) for item in items], revision)

    @overload
    def watch(
        self, what: type[R], namespace: str | None = None, *, since: str | None = None, **selection: Unpack[Selection]
    ) -> AsyncGenerator[WatchEvent[R], None]: ...
    @overload
    def watch(
        self, what: Kind, namespace: str | None = None, *, since: str | None = None, **selection: Unpack[Selection]
    ) -> AsyncGenerator[WatchEvent[JsonObject], None]: ...
    async def watch(
        self,
        what: type[R] | Kind,
        namespace: str | None = None,
        *,
        since: str | None = None,
        **selection: Unpack[Selection],
    ) -> AsyncGenerator[WatchEvent[Any], None]:
        """Changes without end, bridging cuts; see `threeport.client.watch.Watch`.

        Without `since` it starts with all objects as ADDED. Close the iterator (``aclosing``) when you leave early.
        """
        query = query_of(selection)
        watch = Watch(self.transport, declared_kind(what), namespace, query, since)
        async with aclosing(watch.events()) as events:
            async for event in events:
                yield event if isinstance(what, Kind) else WatchEvent(event.type, _as_model(what, event.object))

    async def table(
        self, kind: Kind, name: str = "", namespace: str | None = None, **selection: Unpack[Selection]
    ) -> JsonObject:
        """Objects, or the one called `name`, as the ``Table`` that the server makes for people."""
        path = object_path(kind, name, namespace) if name else collection_path(kind, namespace)
        answer = await self.transport.request("GET", path, query=query_of(selection), headers={"Accept": TABLE})
        return decode_json(answer.body)

    async def catalog(self) -> Catalog:
        """The kinds that the server has; asked for once."""
        if self._catalog is None:
            self._catalog = await discover(self.transport)
        return self._catalog

    async def get_path(self, path: str, *, timeout: float | None = None) -> bytes:
        """The body behind any path of the server, such as ``/version`` or ``/readyz``."""
        return (await self.transport.request("GET", path, timeout=timeout)).body

    # -- writing ---------------------------------------------------------------------------------------------------

    @overload
    async def create(self, obj: R, *, dry_run: bool = False) -> R: ...
    @overload
    async def create(self, obj: FrozenJson, kind: Kind, *, dry_run: bool = False) -> JsonObject: ...
    async def create(self, obj: R | FrozenJson, kind: Kind | None = None, *, dry_run: bool = False) -> R | JsonObject:
        """Creates the object. Raises `AlreadyExists` or `Invalid`."""
        what, body = _target(obj, kind)
        path = collection_path(declared_kind(what), _namespace(body, declared_kind(what)))
        answer = await self.transport.request(
            "POST", path, query=_dry_run(dry_run), body=encode_json(body), headers=_JSON
        )
        return self._result(what, answer.body)

    @overload
    async def replace(self, obj: R) -> R: ...
    @overload
    async def replace(self, obj: FrozenJson, kind: Kind) -> JsonObject: ...
    async def replace(self, obj: R | FrozenJson, kind: Kind | None = None) -> R | JsonObject:
        """Replaces the object. Raises `Conflict` if its ``resourceVersion`` is no longer the current one."""
        what, body = _target(obj, kind)
        answer = await self.transport.request("PUT", _path_of(body, what), body=encode_json(body), headers=_JSON)
        return self._result(what, answer.body)

    @overload
    async def apply(
        self, obj: R, *, field_manager: str = FIELD_MANAGER, force: bool = False, dry_run: bool = False,
        strict: bool = True,
    ) -> R: ...  # fmt: skip
    @overload
    async def apply(
        self, obj: FrozenJson, kind: Kind, *, field_manager: str = FIELD_MANAGER, force: bool = False,
        dry_run: bool = False, strict: bool = True,
    ) -> JsonObject: ...  # fmt: skip
    async def apply(
        self,
        obj: R | FrozenJson,
        kind: Kind | None = None,
        *,
        field_manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
        strict: bool = True,
    ) -> R | JsonObject:
        """Server-side apply: creates the object or changes the fields given, and drops those that this manager gave
        before and no longer gives. Raises `Conflict` where another manager owns a field, unless `force`.

        A server of an older release leaves out fields that it does not know, unless `strict`.
        """
        what, body = _target(obj, kind)
        query = {"fieldManager": field_manager, "force": str(force).lower(), **_dry_run(dry_run)}
        query |= {} if strict else {"fieldValidation": "Ignore"}
        headers = {"Content-Type": APPLY_PATCH}
        answer = await self.transport.request(
            "PATCH", _path_of(body, what), query=query, body=encode_json(body), headers=headers
        )
        return self._result(what, answer.body)

    @overload
    async def patch(
        self, what: type[R], name: str, namespace: str | None, change: FrozenJson, *, subresource: str = ""
    ) -> R: ...
    @overload
    async def patch(
        self, what: Kind, name: str, namespace: str | None, change: FrozenJson, *, subresource: str = ""
    ) -> JsonObject: ...
    async def patch(
        self, what: type[R] | Kind, name: str, namespace: str | None, change: FrozenJson, *, subresource: str = ""
    ) -> R | JsonObject:
        """Changes some fields (JSON merge patch, RFC 7396): None removes a field, lists are replaced as a whole.

        A ``resourceVersion`` in the change makes it conditional: `Conflict` if the object has changed since.
        """
        answer = await self.transport.request(
            "PATCH",
            object_path(declared_kind(what), name, namespace, subresource),
            body=encode_json(change),
            headers={"Content-Type": MERGE_PATCH},
        )
        return self._result(what, answer.body)

    @overload
    async def patch_status(self, what: type[R], name: str, namespace: str | None, status: FrozenJson) -> R: ...
    @overload
    async def patch_status(self, what: Kind, name: str, namespace: str | None, status: FrozenJson) -> JsonObject: ...
    async def patch_status(
        self, what: type[R] | Kind, name: str, namespace: str | None, status: FrozenJson
    ) -> R | JsonObject:
        """Changes some fields of the status (merge patch of ``/status``)."""
        return await self.patch(what, name, namespace, {"status": dict(status)}, subresource="status")

    async def json_patch(
        self, what: type[Resource] | Kind, name: str, namespace: str | None, changes: Sequence[FrozenJson]
    ) -> JsonObject:
        """Changes the object by a JSON patch (RFC 6902). Raises `Invalid` if one of its tests fails."""
        path = object_path(declared_kind(what), name, namespace)
        body = encode_json([dict(change) for change in changes])
        answer = await self.transport.request("PATCH", path, body=body, headers={"Content-Type": JSON_PATCH})
        return decode_json(answer.body)

    async def delete(
        self,
        what: type[Resource] | Kind,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str | None = None,
        uid: str | None = None,
        force: bool = False,
    ) -> JsonObject:
        """Deletes the object: the answer is a Status, or the object if finalizers hold it.

        `propagation` is Foreground, Background or Orphan; `uid` protects a later object of the same name; `force` does
        not wait for controllers. Raises `NotFound`, or `Conflict` if other objects refer to it.
        """
        options: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if propagation:
            options["propagationPolicy"] = propagation
        if uid:
            options["preconditions"] = {"uid": uid}
        if force:
            options["gracePeriodSeconds"] = 0
        path = object_path(declared_kind(what), name, namespace)
        answer = await self.transport.request("DELETE", path, body=encode_json(options), headers=_JSON)
        return decode_json(answer.body)

    async def transaction(
        self, operations: Sequence[Operation], *, field_manager: str = FIELD_MANAGER, force: bool = False,
        dry_run: bool = False,
    ) -> Sequence[JsonObject]:  # fmt: skip
        """All the operations, or none. Returns the objects in order. The error names the operation that failed."""
        query = {"fieldManager": field_manager, "force": str(force).lower(), **_dry_run(dry_run)}
        body = encode_json(
            {
                "apiVersion": "threeport.io/v1alpha1",
                "kind": "Transaction",
                "operations": [operation.as_json() for operation in operations],
            }
        )
        answer = await self.transport.request("POST", TRANSACTIONS_PATH, query=query, body=body, headers=_JSON)
        results: Sequence[JsonObject] = decode_json(answer.body)["results"]
        return results

    async def post_path(self, path: str, body: FrozenJson | None = None, *, method: str = "POST") -> JsonObject:
        """Sends JSON to any path of the server (leases, agent tokens) and returns its JSON, `{}` if there is none."""
        answer = await self.transport.request(method, path, body=encode_json(dict(body or {})), headers=_JSON)
        return decode_json(answer.body) if answer.body else {}

    @overload
    def _result(self, what: type[R], body: bytes) -> R: ...
    @overload
    def _result(self, what: Kind, body: bytes) -> JsonObject: ...
    @overload
    def _result(self, what: type[R] | Kind, body: bytes) -> R | JsonObject: ...
    def _result(self, what: type[R] | Kind, body: bytes) -> R | JsonObject:
        obj = decode_json(body)
        return obj if isinstance(what, Kind) else decoded(what, obj)


_JSON = {"Content-Type": "application/json"}


def query_of(selection: Selection) -> Mapping[str, str]:
    """The query parameters that choose objects of a list, a watch or a table."""
    query = {
        "labelSelector": selection.get("label_selector"),
        "fieldSelector": selection.get("field_selector"),
        "referenceSelector": _reference(selection.get("referring_to")),
    }
    return {name: value for name, value in query.items() if value}


def _reference(key: Key | None) -> str:
    return f"{key.resource}/{key.namespace}/{key.name}" if key else ""


def _target(obj: R | FrozenJson, kind: Kind | None) -> tuple[type[R] | Kind, JsonObject]:
    """What to decode the answer as, and the body to send."""
    if not isinstance(obj, Mapping):
        return type(obj), encoded(obj, declared_kind(type(obj)))
    if kind is None:
        raise TypeError("an object that is plain JSON needs its kind")
    return kind, encoded(obj, kind)


def _path_of(body: FrozenJson, what: type[Resource] | Kind) -> str:
    kind = declared_kind(what)
    return object_path(kind, body["metadata"]["name"], _namespace(body, kind))


def _namespace(body: FrozenJson, kind: Kind) -> str | None:
    return body["metadata"].get("namespace") if kind.namespaced else None


def _dry_run(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _as_model(what: type[R], obj: JsonObject) -> R:
    """The model of an object; of one that is gone, and of which only metadata is known, with nothing else in it."""
    if len(obj) > len(_STUB):
        return decoded(what, obj)
    from threeport.resources.model import ObjectMeta  # who has a model has imported it already

    return cast(R, what.model_construct(metadata=ObjectMeta.model_validate(obj["metadata"])))


_STUB = ("apiVersion", "kind", "metadata")
