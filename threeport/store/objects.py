"""The object store of the API: reads objects, lists them, and writes them with their notifications."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import orjson

from threeport.common.revisions import RevisionClock
from threeport.common.sharing import SharedReads
from threeport.store import diagnosis
from threeport.store.database import Database, Parameters
from threeport.store.gathering import Gathering
from threeport.store.records import (
    Fence,
    Key,
    Listing,
    Page,
    StoredObject,
    TextPage,
    Unstorable,
    Write,
    served_text,
)
from threeport.store.rows import COLUMNS, stored
from threeport.store.selection import select
from threeport.store.writing import Writer

OF_KEYS = f"""
    SELECT {COLUMNS} FROM objects
    JOIN jsonb_to_recordset(%(keys)s::JSONB) AS wanted (resource TEXT, namespace TEXT, name TEXT)
    USING (resource, namespace, name)"""


PATIENCE: Final = 1.0
"""Seconds that the reading of a list waits for the one before it, which may hang."""


class SqlObjectStore:
    """`threeport.krm.interfaces.ObjectStore` on a database whose schema is up to date (`migrations.migrate`)."""

    def __init__(
        self,
        database: Database,
        clock: RevisionClock,
        *,
        on_commit: Callable[[Sequence[StoredObject]], None],
    ) -> None:
        """`on_commit` gets what each transaction stored, after its commit; it must neither wait nor raise."""
        self._database = database
        self._clock = clock
        self._writer = Writer(database, clock)
        self._reads = Gathering(self._get)
        self._lists = SharedReads[tuple[object, ...], TextPage](patience=PATIENCE)
        """By query and parameters."""
        self._on_commit = on_commit

    async def get(self, key: Key) -> StoredObject | None:
        """The object as it is now; None if there is none. Raises `StoreUnavailable`."""
        return None if _has_nul(*key) else await self._reads.ask(key)

    async def _get(self, keys: Sequence[Key]) -> list[StoredObject | None]:
        wanted = orjson.dumps([key._asdict() for key in set(keys)]).decode()
        found = {row.key: row for row in map(stored, await self._database.read(OF_KEYS, {"keys": wanted}))}
        return [found.get(key) for key in keys]

    async def list_page(
        self, listing: Listing, *, limit: int | None = None, after: tuple[str, str] | None = None
    ) -> Page:
        """Up to `limit` objects in order of namespace and name, from one snapshot. Raises `StoreUnavailable`.

        How many remain is never told: counting them costs more than sending them.
        """
        selection = select(listing, after=after)
        # One row more than is asked for tells whether there is another page.
        rows = await self._database.read(selection.page(None if limit is None else limit + 1), selection.parameters)
        items = [stored(row) for row in rows[:limit]]
        more = limit is not None and len(rows) > limit
        return Page(items, (items[-1].key.namespace, items[-1].key.name) if more else None, None)

    async def list_text(
        self, listing: Listing, *, limit: int | None = None, after: tuple[str, str] | None = None
    ) -> TextPage:
        """The same page as one text, read without what such a text does not need: a third of the work.

        Who asks for the same page at the same time gets the same text. Raises `StoreUnavailable`.
        """
        selection = select(listing, after=after)
        query = selection.page(None if limit is None else limit + 1, "namespace, name, revision, body")
        key = (query, *selection.parameters)
        return await self._lists.ask(key, lambda: self._read_text(query, selection.parameters, limit))

    async def _read_text(self, query: str, parameters: Parameters, limit: int | None) -> TextPage:
        rows = await self._database.read(query, parameters)
        items = ",".join([served_text(revision, body) for _, _, revision, body in rows[:limit]])
        after = None if limit is None or len(rows) <= limit else (rows[limit - 1][0], rows[limit - 1][1])
        return TextPage(items, after)

    async def write(self, writes: Sequence[Write], *, fence: Fence | None = None) -> list[StoredObject]:
        """Makes all the changes and their notifications in one transaction, or none, within five seconds.

        Returns what was stored, in the order given. A DELETE stores the body, labels and bookkeeping of its write as
        the last state. Several writes may name one key: they are made in the order given. What is referred to is
        judged by the state after all of them.

        Raises `StaleRevision`, `NameTaken`, `StillReferenced`, `LeaseLost`, `Unstorable` or `StoreUnavailable`.
        """
        for write in writes:
            _refuse_nul(write)
        results = await self._writer.write(writes, fence)
        for result in results:
            self._clock.adopt(result.revision)
        self._on_commit(results)
        return results

    async def blockers(self, key: Key, *, limit: int = 10) -> list[Key]:
        """Who refers to this object with a reference that blocks its deletion. Raises `StoreUnavailable`."""
        async with self._database.reading() as connection:
            return await diagnosis.blockers(connection, key, limit=limit)


def _refuse_nul(write: Write) -> None:
    """In a body NUL is escaped and harmless; names are text and labels are JSON that the database looks into."""
    references = [part for target in write.references or () for part in target.key]
    if _has_nul(*write.key, *write.labels, *write.labels.values(), write.body, *references):
        where = "its name, its labels, a name that it refers to, or raw in its body"
        raise Unstorable(f"{diagnosis.named(write.key)}: a NUL character in {where}")


def _has_nul(*texts: str) -> bool:
    return any("\0" in text for text in texts)
