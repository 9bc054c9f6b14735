"""GET of one object and LIST of many, in the form that the client asked for.

Lists are put together from the texts of the objects; nothing is decoded unless a selector or a Table looks inside.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import orjson

from threeport.common.errors import BadRequest, Cause, Expired, Timeout
from threeport.common.revisions import SECOND, SLACK, revision_of, system_micros
from threeport.common.types import JsonObject
from threeport.krm.interfaces import Caller, LabelRequirement, Shard
from threeport.krm.negotiation import Form
from threeport.krm.options import FORBIDDEN, check_match, invalid_option
from threeport.krm.paths import Target
from threeport.krm.selectors import (
    FieldSelector,
    parse_field_selector,
    parse_label_selector,
    parse_reference,
    parse_shard,
)
from threeport.krm.services import Services
from threeport.krm.table import partial_metadata, table
from threeport.resources.kind import Kind
from threeport.store.records import Key, Listing, Page, StoredObject, TextPage

_LARGEST_PAGE = 10_000
_SEAL = 9
"""Bytes at the head of a ``continue`` token; a multiple of three, so that base64 needs no padding for it."""
_FUTURE = 60 * SECOND
"""How far ahead a revision may be that some server's clock has made: far less than this."""
_REPEATED = revision_of(2 * SLACK)
"""What is older than this before a revision is repeated to nobody who resumes from there, whichever server's clock is
asked."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind a list or watch is about."""

    namespace: str | None
    labels: tuple[LabelRequirement, ...] = ()
    fields: FieldSelector = FieldSelector()
    referring_to: Key | None = None
    shard: Shard | None = None

    def listing(self, kind: Kind) -> Listing:
        """What of it the store can tell: all but fields beyond name and namespace."""
        return Listing(
            kind.resource,
            namespace=self.namespace,
            name=self.fields.name,
            labels=self.labels,
            referring_to=self.referring_to,
            shard=self.shard,
        )


def parse_selection(target: Target, query: Mapping[str, str], caller: Caller) -> Selection:
    """The selection that path, query and door make together. Raises `BadRequest`."""
    fields = parse_field_selector(query.get("fieldSelector", ""), target.kind.resource)
    reference = query.get("referenceSelector")
    shard = query.get("shardSelector")
    return Selection(
        namespace=target.namespace or fields.namespace,
        labels=parse_label_selector(query.get("labelSelector", "")),
        fields=fields,
        referring_to=parse_reference(reference) if reference else None,
        shard=parse_shard(shard) if shard else caller.shard,
    )


def names_one(target: Target, selection: Selection) -> bool:
    """Whether a selection can hold one object only: it says its name, and its namespace where it has one."""
    return selection.fields.name is not None and bool(selection.namespace or not target.kind.namespaced)


def resume_point(target: Target, selection: Selection, items: Sequence[StoredObject], clock: int) -> int:
    """The revision to watch from after a list of `items`, for which the clock was read before.

    Revisions order the changes of one name, so who has listed one object by name goes on from that object: then the
    watch repeats nothing, and nobody who waits for its end hears of that of an earlier object of the name. What is
    older than a watch repeats needs none of it, and as a revision to resume from it might be too old.
    """
    if not names_one(target, selection) or len(items) != 1:
        return clock
    return items[0].revision if items[0].revision > clock - _REPEATED else clock


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: the revision of its first page and the key of the last item sent."""

    revision: int
    after: tuple[str, str]

    def as_token(self, target: Target, selection: Selection) -> str:
        """The ``continue`` token, good for this list only."""
        content = orjson.dumps([self.revision, *self.after])
        return base64.urlsafe_b64encode(_seal(content, target, selection) + content).decode()


def parse_position(token: str, target: Target, selection: Selection) -> Position:
    """The position of a ``continue`` token. Raises `BadRequest`, as Kubernetes does, if it was made for another list
    or not here."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    seal, content = raw[:_SEAL], raw[_SEAL:]
    if seal and seal == _seal(content, target, selection):
        revision, namespace, name = orjson.loads(content)
        return Position(revision, (namespace, name))
    raise BadRequest("the continue token was not made by this server for this list; list from the start")


def _seal(content: bytes, target: Target, selection: Selection) -> bytes:
    """Shows that a token was changed or belongs to another list. No secret: whoever makes one of his own sees nothing
    but what he may list anyway."""
    labels = [(key, operator, sorted(values)) for key, operator, values in selection.labels]
    of = repr((target.kind.resource, replace(selection, labels=()), labels))
    return blake2b(of.encode(errors="surrogatepass") + b"\0" + content, digest_size=_SEAL).digest()


def parse_limit(query: Mapping[str, str]) -> int | None:
    """The page size asked for; None for all in one answer."""
    if query.get("limit", "").startswith("-"):
        return None  # what Kubernetes makes of it
    return min(parse_number(query, "limit"), _LARGEST_PAGE) or None


def parse_number(query: Mapping[str, str], name: str) -> int:
    """A number of the query, 0 if it is not there. Raises `BadRequest`."""
    text = query.get(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest(f"{name} is {text[:40]!r}, not a number")
    return int(text)


def check_list_options(query: Mapping[str, str]) -> None:
    """Refuses what a LIST cannot be asked, rather than answer something else.

    A list is always of the present, which is not older than any revision that has been; the state at another one is
    not kept (`Expired`), and one from the future is waited for in vain (`Timeout`, which clients of Kubernetes know).
    """
    match = query.get("resourceVersionMatch", "")
    check_match(query)
    if "sendInitialEvents" in query:
        raise invalid_option("ListOptions", "sendInitialEvents", FORBIDDEN, "sendInitialEvents is forbidden for list")
    if "timeoutSeconds" in query:
        parse_number(query, "timeoutSeconds")
    revision = parse_number(query, "resourceVersion")
    if match == "Exact":
        raise Expired(f"the state at resourceVersion {revision} is not kept; list the present without Exact")
    if revision > revision_of(system_micros() + _FUTURE):
        causes = [Cause("resourceVersion", "Too large resource version", "ResourceVersionTooLarge")]
        raise Timeout(f"Too large resource version: {revision}", causes=causes, retry_after=1)


class Reader:
    """Answers GET and LIST as JSON text."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def one(self, caller: Caller, target: Target, stored: StoredObject, form: Form, query: Mapping[str, str]) -> str:
        """One object, as the caller sees it."""
        text = self._services.views.text(target.kind, stored, caller.controller)
        if form is Form.OBJECT:
            return text
        obj: JsonObject = orjson.loads(text)
        if form is Form.METADATA:
            return orjson.dumps(partial_metadata(obj)).decode()
        metadata = {"resourceVersion": str(stored.revision)}
        include = query.get("includeObject") or "Metadata"
        return orjson.dumps(table(target.kind, [obj], metadata, include=include)).decode()

    def revealed(self, target: Target, stored: StoredObject, caller: Caller) -> str:
        """One object with sensitive values in clear."""
        obj: JsonObject = orjson.loads(self._services.views.raw(stored, caller.controller))
        self._services.secrecy.reveal(target.kind, obj)
        return orjson.dumps(obj).decode()

    async def many(
        self, caller: Caller, target: Target, selection: Selection, form: Form, query: Mapping[str, str]
    ) -> str:
        """A list, or a page of it."""
        token = query.get("continue")
        position = parse_position(token, target, selection) if token else None
        # Read before the snapshot: a watch from here then misses nothing.
        revision = position.revision if position else self._services.events.list_revision()
        limit, after = parse_limit(query), position.after if position else None
        # resume_point looks at a single object.
        plain = caller.controller is None and not selection.fields.others and selection.fields.name is None
        if form is Form.OBJECT and plain:
            text = await self._text(target, selection, limit=limit, after=after)
            going_on = Position(revision, text.after).as_token(target, selection) if text.after else None
            return _list(target, text.items, _list_metadata(revision, going_on))
        page = await self.page(target, selection, limit=limit, after=after)
        going_on = Position(revision, page.after).as_token(target, selection) if page.after else None
        metadata = _list_metadata(resume_point(target, selection, page.items, revision), going_on)
        return self._rendered(caller, target, page, metadata, form, query)

    async def _text(
        self, target: Target, selection: Selection, *, limit: int | None, after: tuple[str, str] | None
    ) -> TextPage:
        """A page of the selection as everyone sees it."""
        page = await self._services.store.list_text(selection.listing(target.kind), limit=limit, after=after)
        return page._replace(items=self._services.views.hidden(target.kind, page.items))

    async def page(
        self, target: Target, selection: Selection, *, limit: int | None, after: tuple[str, str] | None = None
    ) -> Page:
        """A page of the selection from the store; fields beyond name and namespace are compared here."""
        page = await self._services.store.list_page(selection.listing(target.kind), limit=limit, after=after)
        if not selection.fields.others:
            return page
        return page._replace(items=[item for item in page.items if selection.fields.matches(item.decoded())])

    def _rendered(
        self,
        caller: Caller,
        target: Target,
        page: Page,
        metadata: JsonObject,
        form: Form,
        query: Mapping[str, str],
    ) -> str:
        kind, views = target.kind, self._services.views
        items = ",".join(views.raw(item, caller.controller) for item in page.items)
        items = views.hidden(kind, items)
        if form is Form.OBJECT:
            return _list(target, items, metadata)
        objects: list[JsonObject] = orjson.loads(f"[{items}]")
        if form is Form.TABLE:
            include = query.get("includeObject") or "Metadata"
            return orjson.dumps(table(kind, objects, metadata, include=include)).decode()
        partial = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": [partial_metadata(obj) for obj in objects],
        }
        return orjson.dumps(partial).decode()


def _list_metadata(revision: int, going_on: str | None) -> JsonObject:
    return {"resourceVersion": str(revision)} | ({"continue": going_on} if going_on else {})


def _list(target: Target, items: str, metadata: JsonObject) -> str:
    kind = target.kind
    head = orjson.dumps({"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}).decode()
    return f'{head[:-1]},"items":[{items}]}}'
