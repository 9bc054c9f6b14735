"""What the protocol needs from below and from its server: storage, events, and decisions about callers.

`threeport.store` and `threeport.events` implement the first two; the server that is built (the Threeport API, a
simulated cluster) passes the others in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from threeport.common.types import JsonObject
from threeport.resources.kind import Kind
from threeport.store.records import Bookmark as Bookmark
from threeport.store.records import Fence, Key, Listing, Page, StoredObject, TextPage, Write
from threeport.store.records import LabelRequirement as LabelRequirement
from threeport.store.records import Shard as Shard


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: a name such as ``admin``, ``controller:workload``, ``agent:<runtime>``, and groups."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and through which door. Through a controller's door (`controller`) the API serves kopf: that
    controller's bookkeeping is merged in, ``/status`` is part of the object, and writes are fenced by a lease."""

    identity: Identity
    controller: str | None = None
    shard: Shard | None = None
    fence: Fence | None = None
    request_id: str = ""


Verb: TypeAlias = Literal["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "reveal"]


@dataclass(frozen=True, slots=True)
class Action:
    """What a caller wants to do. `reveal` is a get that shows sensitive fields in clear."""

    verb: Verb
    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    labels: tuple[LabelRequirement, ...] = ()
    """The label selector of a list, a watch or a deletecollection: an agent may only ask for what is its own."""


class Authorizer(Protocol):
    """Decides what an identity may do."""

    async def authorize(self, caller: Caller, action: Action, obj: JsonObject | None = None) -> None:
        """Returns if allowed; raises `Forbidden` otherwise (`NotFound` where existence must not show).

        Called with `obj` None before anything is read or revealed: refuse there what the identity may do to no object
        of the kind. Called again with the object found (get, update, patch, delete), and with the object that a
        create, update or patch would make. List and watch are decided without objects.
        """


@dataclass(slots=True)
class Admission:
    """A write on its way to the store. Admission may change `new`, add `warnings`, or raise an `ApiError`."""

    caller: Caller
    kind: Kind
    key: Key
    operation: Literal["CREATE", "UPDATE", "DELETE"]
    new: JsonObject | None
    old: JsonObject | None
    subresource: str = ""
    dry_run: bool = False
    together: frozenset[Key] = frozenset()
    """What the same transaction creates or applies, this object included."""
    planned: Mapping[Key, StoredObject] = field(default_factory=dict)
    """What earlier operations of the same transaction make of other objects, read anew if they have changed."""
    warnings: list[str] = field(default_factory=list)
    claims: list[Write] = field(default_factory=list)
    """Writes of `threeport.krm.claims`, to be made together with this one."""


class Admitter(Protocol):
    """One step of admission; the server has a list of them, run in order after validation of the schema."""

    async def admit(self, admission: Admission) -> None:
        """Looks at the write, changes it, warns, or refuses."""


class ObjectStore(Protocol):
    """Where objects live. Implemented by `threeport.store.objects.SqlObjectStore`."""

    async def get(self, key: Key) -> StoredObject | None:
        """The object, read from the current state; None if there is none."""

    async def list_page(
        self, listing: Listing, *, limit: int | None = None, after: tuple[str, str] | None = None
    ) -> Page:
        """Up to `limit` objects (None: all) in order of namespace and name, those behind the (namespace, name) `after`.

        Each page is one current snapshot. Raises `StoreUnavailable`.
        """

    async def list_text(
        self, listing: Listing, *, limit: int | None = None, after: tuple[str, str] | None = None
    ) -> TextPage:
        """The same page as one text, which costs a third: for whom no bookkeeping is shown."""

    async def write(self, writes: Sequence[Write], *, fence: Fence | None = None) -> list[StoredObject]:
        """Makes all the changes and their notifications in one transaction, or none.

        Returns what was stored, in order (a DELETE: the last body under its new revision, `deleted`).
        Raises `StaleRevision`, `NameTaken`, `StillReferenced`, `LeaseLost` or `StoreUnavailable`.
        """

    async def blockers(self, key: Key, *, limit: int = 10) -> list[Key]:
        """Who refers to this object with a reference that blocks its deletion."""


class EventStream(Protocol):
    """The events of one watch. Close it when the watcher leaves (`contextlib.aclosing`), in whatever state it is."""

    def __aiter__(self) -> AsyncIterator[StoredObject | Bookmark]:
        """The stream itself."""

    async def __anext__(self) -> StoredObject | Bookmark:
        """The next event; raises `StopAsyncIteration` at the end."""

    def pop(self) -> StoredObject | Bookmark | None:
        """The next event if one is there already; None if not."""

    async def aclose(self) -> None:
        """The watcher has left."""


class EventSource(Protocol):
    """Where changes come from. Implemented by `threeport.events.hub.Hub`, with the rules that it documents."""

    def list_revision(self) -> int:
        """The revision to answer a LIST with: the clock, read *before* the snapshot of its first page."""

    def latest(self, key: Key) -> StoredObject | None:
        """The newest state of an object that this process has itself written or read; there may be a newer, or none.

        None if another process's message is all that tells of it: what is written must not come from a message.
        """

    def watch(self, resource: str, *, since: int | None) -> EventStream:
        """Changes of all objects of a resource in the order that watchers need: a replay of what is newer than
        `since` less the slack, then live ones. `since` None: only the live ones, from a refresh begun after the call.
        The current state first, then every change: read `list_revision`, then list, then watch since that revision.

        Raises `Expired` (410) on the first item when `since` is too old, `TooManyRequests` when too many watch.
        Ends when the watcher is too slow or the source has to start anew; the client then resumes or lists again.
        """


class Secrecy(Protocol):
    """Treatment of sensitive fields. Implemented by `threeport.krm.sealing.Sealer`."""

    def seal(self, kind: Kind, new: JsonObject, old: JsonObject | None) -> None:
        """Replaces sensitive values in `new` by sealed ones, and redacted placeholders by the sealed value of `old`.

        Also inside ``kubectl.kubernetes.io/last-applied-configuration``. Raises `Invalid` for a placeholder that
        stands for nothing.
        """

    def redact(self, kind: Kind, text: str) -> str:
        """The JSON text of an object (or of many) with every sealed value replaced by its placeholder."""

    def reveal(self, kind: Kind, obj: JsonObject) -> None:
        """Replaces sealed values in `obj` by clear ones."""
