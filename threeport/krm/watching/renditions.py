"""The texts of watch events, made once for all watches that send them: a thousand watchers cost one encoding."""

from __future__ import annotations

import calendar
import re
import time
from collections import OrderedDict
from dataclasses import dataclass

import orjson

from threeport.common.types import JsonObject
from threeport.krm.negotiation import Form
from threeport.krm.table import partial_metadata, table
from threeport.krm.views import Views
from threeport.resources.kind import Kind
from threeport.store.records import StoredObject

_CREATED = re.compile(r'"creationTimestamp":"([0-9TZ:-]{20})"')
_OVERHEAD = 400
"""Bytes that Python needs for one rendition and its key, besides the JSON."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """An object as it goes into events: its JSON, and when it was created (seconds since the epoch)."""

    raw: bytes
    created: int


class Renditions:
    """Makes and remembers renditions; the oldest go first when they take more than `most` bytes of memory."""

    def __init__(self, views: Views, *, most: int = 16 * 1024 * 1024) -> None:
        self._views = views
        self._most = most
        self._kept: OrderedDict[tuple[str, int, str | None, Form], Rendition] = OrderedDict()
        self._size = 0

    def of(self, kind: Kind, obj: StoredObject, controller: str | None, form: Form, include: str) -> Rendition:
        """The object as sent to watches of one form through one door. `include` is for Tables, which are not kept:
        the ages in them go stale."""
        if form is Form.TABLE:
            return self._make(kind, obj, controller, form, include)
        # Without bookkeeping of its own, a controller sees what everyone sees.
        door = controller if controller in obj.bookkeeping else None
        key = (obj.uid, obj.revision, door, form)
        found = self._kept.get(key)
        if found is None:
            found = self._make(kind, obj, door, form, include)
            self._keep(key, found)
        return found

    def _keep(self, key: tuple[str, int, str | None, Form], rendition: Rendition) -> None:
        self._kept[key] = rendition
        self._size += len(rendition.raw) + _OVERHEAD
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest.raw) + _OVERHEAD

    def _make(self, kind: Kind, obj: StoredObject, controller: str | None, form: Form, include: str) -> Rendition:
        text = self._views.text(kind, obj, controller)
        created = _CREATED.search(text)
        seconds = calendar.timegm(time.strptime(created[1], "%Y-%m-%dT%H:%M:%SZ")) if created else 0
        return Rendition(_formed(kind, obj, text, form, include), seconds)


def _formed(kind: Kind, obj: StoredObject, text: str, form: Form, include: str) -> bytes:
    if form is Form.OBJECT:
        return text.encode()
    decoded: JsonObject = orjson.loads(text)
    if form is Form.METADATA:
        return orjson.dumps(partial_metadata(decoded))
    return orjson.dumps(table(kind, [decoded], {"resourceVersion": str(obj.revision)}, include=include))
