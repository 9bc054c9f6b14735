"""Who owns whom, for garbage collection: owner references are kept beside other references, by the owner's uid."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from threeport.store.database import Database
from threeport.store.records import Key, ReferenceTarget, StoredObject
from threeport.store.rows import COLUMNS, stored

OWNER: Final = "uid"
"""Stands for the resource in references that go by uid. No resource is called so: they are plural."""

LIVING = f"SELECT {COLUMNS} FROM objects WHERE uid = ANY(%(uids)s::TEXT[])"

OWNED = f"""
    SELECT {COLUMNS} FROM objects WHERE uid IN (
        SELECT from_uid FROM object_references
        WHERE to_resource = '{OWNER}' AND to_namespace = '' AND to_name = ANY(%(uids)s::TEXT[])
    )"""

UNSETTLED = f"""
    SELECT r.to_name FROM object_references AS r LEFT JOIN objects AS o ON o.uid = r.to_name
    WHERE r.to_resource = '{OWNER}' AND o.uid IS NULL
    UNION
    SELECT uid FROM objects WHERE deleting AND (body LIKE %(one)s::TEXT OR body LIKE %(other)s::TEXT)
    LIMIT %(limit)s::BIGINT"""


def ownership(uid: str) -> ReferenceTarget:
    """The reference that makes an object one of those that the object with this uid owns."""
    return ReferenceTarget(Key(OWNER, "", uid), blocks_deletion=False)


class Ownership:
    """Looks up owners and what they own in one database. All methods raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def living(self, uids: Collection[str]) -> dict[str, StoredObject]:
        """Those of the objects that are there, by uid."""
        rows = await self._database.read(LIVING, {"uids": list(uids)}) if uids else []
        return {obj.uid: obj for obj in map(stored, rows)}

    async def owned(self, uids: Collection[str]) -> list[StoredObject]:
        """The objects that have one of these as an owner."""
        rows = await self._database.read(OWNED, {"uids": list(uids)}) if uids else []
        return [stored(row) for row in rows]

    async def unsettled(self, finalizers: tuple[str, str], *, limit: int) -> list[str]:
        """Uids of owners that are gone while something still refers to them, or are held by one of `finalizers`."""
        one, other = (f'%"{finalizer}"%' for finalizer in finalizers)
        rows = await self._database.read(UNSETTLED, {"one": one, "other": other, "limit": limit})
        return [uid for (uid,) in rows]
