"""GET of one object and LIST of many, in the form that the client asked for.

Lists are put together from the texts of the objects; nothing is decoded unless a selector or a Table looks inside.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from threeport.common.types import JsonObject
from threeport.krm.interfaces import Caller
from threeport.krm.negotiation import Form
from threeport.krm.paths import Target
from threeport.krm.reading.options import parse_limit
from threeport.krm.reading.positions import Position, parse_position, resume_point
from threeport.krm.reading.selection import Selection
from threeport.krm.services import Services
from threeport.krm.table import partial_metadata, table
from threeport.store.records import Page, StoredObject, TextPage


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
