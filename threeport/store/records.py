"""What the store takes and gives: immutable records of objects, writes, and changes.

The body of an object is JSON *text*, and stays text on the way from the database to the client, because decoding
and encoding a list costs five times what sending it costs. It is kept without ``metadata.resourceVersion``, which the
writing statement decides; `StoredObject.served` splices it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Final, Literal, NamedTuple, TypeAlias

import orjson

from threeport.common.types import FrozenJson, JsonObject, Labels

BODY_PREFIX: Final = '{"metadata":{'
"""How every stored body starts; the revision is spliced in right behind it."""

ANNOTATED_PREFIX: Final = BODY_PREFIX + '"annotations":{'
"""How the body of an object with annotations starts."""

Bookkeeping: TypeAlias = Mapping[str, Mapping[str, str]]
"""Controller name -> the annotations in which its operator keeps kopf's state of one object."""


class Key(NamedTuple):
    """What an object is found by. `resource` is ``plural.group``; `namespace` is empty for cluster-scoped kinds."""

    resource: str
    namespace: str
    name: str


class ReferenceTarget(NamedTuple):
    """What an object refers to; `blocks_deletion` protects the target while the reference stands."""

    key: Key
    blocks_deletion: bool = True


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `count` of all objects, by a hash of the uid (`threeport.common.ids.shard_of`)."""

    index: int
    count: int


LabelRequirement: TypeAlias = tuple[str, Literal["in", "notin", "exists", "notexists", "gt", "lt"], frozenset[str]]
"""One part of a label selector: key, operator, values. Equality is ``in`` with one value, ``exists`` and ``notexists``
have none, ``gt`` and ``lt`` one, which is a number: they hold of labels that are numbers too."""


class Fence(NamedTuple):
    """The lease that a writer claims to hold. The writing statement itself checks it, so no late writer slips by."""

    lease: str
    epoch: int


class Operation(StrEnum):
    """What a write does to the row of its key."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as it is in the database, or (`deleted`) as it last was."""

    key: Key
    uid: str
    revision: int
    generation: int
    body: str
    """JSON text, starting with `BODY_PREFIX`, without ``resourceVersion`` and without any controller's bookkeeping."""
    labels: Labels = field(default_factory=dict)
    former: tuple[Labels, ...] | None = ()
    """Label sets it had before, newest last; None when there were too many to keep, which stands for any."""
    bookkeeping: Bookkeeping = field(default_factory=dict)
    deleted: bool = False
    deleting: bool = False
    """Whether ``metadata.deletionTimestamp`` is set."""

    def served(self) -> str:
        """The body as users see it: with its ``resourceVersion``, without bookkeeping."""
        return served_text(self.revision, self.body)

    def decoded(self) -> JsonObject:
        """The object that `served` is the text of, for those who look inside or make the next version of it."""
        decoded: JsonObject = orjson.loads(self.served())
        return decoded


def served_text(revision: int, body: str) -> str:
    """A stored body as users see it: with its ``resourceVersion``."""
    rest = body[len(BODY_PREFIX) :]
    comma = "" if rest.startswith("}") else ","
    return f'{BODY_PREFIX}"resourceVersion":"{revision}"{comma}{rest}'


class Bookmark(NamedTuple):
    """A point that a watch has certainly reached: to resume from it misses nothing."""

    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One change that the store is asked to make. Several of them commit together or not at all."""

    operation: Operation
    key: Key
    uid: str
    generation: int
    body: str
    labels: Labels = field(default_factory=dict)
    bookkeeping: Bookkeeping = field(default_factory=dict)
    deleting: bool = False
    former: tuple[Labels, ...] | None = ()
    references: tuple[ReferenceTarget, ...] | None = None
    """What it refers to from now on; None leaves the references as they are."""
    expected: int | None = None
    """UPDATE and DELETE: the revision that the change was made from. Another one in the row is a `StaleRevision`."""
    refuse_if_referenced: bool = False
    """Refuse (`StillReferenced`) while another object holds a reference to this one that blocks deletion."""

    def outcome(self, revision: int) -> StoredObject:
        """The object as it is once this has been stored under `revision`: also the answer of a dry run."""
        return StoredObject(
            key=self.key,
            uid=self.uid,
            revision=revision,
            generation=self.generation,
            body=self.body,
            labels=self.labels,
            former=self.former,
            bookkeeping=self.bookkeeping,
            deleted=self.operation is Operation.DELETE,
            deleting=self.deleting,
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """Which objects a list is about: those of one resource for which all the conditions that are given hold."""

    resource: str
    _: KW_ONLY
    namespace: str | None = None
    """None: of all namespaces."""
    name: str | None = None
    labels: tuple[LabelRequirement, ...] = ()
    referring_to: Key | None = None
    """Those that refer to this object."""
    shard: Shard | None = None
    only_deleting: bool = False
    """Those whose deletion has begun; they are found without looking at the others."""


class Page(NamedTuple):
    """Part of a list. `after` is the (namespace, name) to go on from, or None on the last page."""

    items: list[StoredObject]
    after: tuple[str, str] | None
    remaining: int | None
    """How many items follow, where it was asked for and is cheap to tell."""


class TextPage(NamedTuple):
    """Part of a list as it is sent to whom no bookkeeping is shown: the texts of the objects, joined by commas."""

    items: str
    after: tuple[str, str] | None


class StaleRevision(Exception):
    """The row no longer has the revision that the write was made from, or is gone (`found` is then None)."""

    def __init__(self, key: Key, found: StoredObject | None) -> None:
        super().__init__(f"{key.resource} {key.namespace}/{key.name} has changed")
        self.key, self.found = key, found


class NameTaken(Exception):
    """A CREATE met a living object of the same key."""

    def __init__(self, key: Key, found: StoredObject | None) -> None:
        super().__init__(f"{key.resource} {key.namespace}/{key.name} exists")
        self.key, self.found = key, found


class StillReferenced(Exception):
    """The object is referred to by others; `blockers` are (some of) their keys."""

    def __init__(self, key: Key, blockers: list[Key]) -> None:
        super().__init__(f"{key.resource} {key.namespace}/{key.name} is referred to")
        self.key, self.blockers = key, blockers


class LeaseLost(Exception):
    """The writer's lease has passed to another holder: the statement changed nothing."""

    def __init__(self, fence: Fence) -> None:
        super().__init__(f"lease {fence.lease} is no longer at epoch {fence.epoch}")
        self.fence = fence


class Unstorable(ValueError):
    """A name, a label or a reference holds a NUL character, which no text or JSON column can."""


class StoreUnavailable(Exception):
    """The database cannot be reached, or did not answer in time."""


class StoreBusy(StoreUnavailable):
    """The database is there, but could not do this now; nothing was changed, and the message says why."""


class RowLocked(StoreBusy):
    """Others hold what it would change, for longer than it was to wait; nothing was changed."""


class TookTooLong(StoreBusy):
    """A statement or transaction was ended by its time limit; nothing was changed."""


def encode_body(obj: FrozenJson) -> str:
    """The text to store for an object: ``metadata`` first, ``resourceVersion`` left out, ``annotations`` in front.

    Annotations stand in front (`ANNOTATED_PREFIX`), or are not there at all, so that a controller's bookkeeping can
    be spliced into the text.
    """
    left_out = ("resourceVersion", "annotations")
    metadata = {key: value for key, value in obj["metadata"].items() if key not in left_out}
    if annotations := obj["metadata"].get("annotations"):
        metadata = {"annotations": annotations, **metadata}
    rest = {key: value for key, value in obj.items() if key != "metadata"}
    return orjson.dumps({"metadata": metadata, **rest}).decode()
