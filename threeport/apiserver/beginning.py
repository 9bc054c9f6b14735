"""What has to be there before the first request: the database with its tables, and the default namespace."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from threeport.apiserver.admission.namespaces import DEFAULT_NAMESPACE, NAMESPACES
from threeport.common.types import JsonObject
from threeport.krm.drafts import creation
from threeport.krm.interfaces import ObjectStore
from threeport.krm.metadata import stamp_new
from threeport.krm.namespaces import begin
from threeport.store.database import Database
from threeport.store.migrations import migrate
from threeport.store.records import Key, NameTaken, StoreUnavailable

RETRY_DELAY: Final = 1.0
"""Seconds between attempts to reach the database."""

log = structlog.stdlib.get_logger("threeport.apiserver")


async def open_database(dsn: str, schema: str, stop: asyncio.Event) -> Database | None:
    """The database, connected and migrated; waits for it as long as it takes. None if `stop` came first."""
    while not stop.is_set():
        database = Database(dsn, schema=schema)
        try:
            await database.open()
            await migrate(database)
        except StoreUnavailable as error:
            await database.close()
            log.warning("waiting for the database", error=str(error), retry_seconds=RETRY_DELAY)
            await asyncio.sleep(RETRY_DELAY)
        else:
            log.info("the database is there", schema=schema)
            return database
    return None


async def ensure_default_namespace(store: ObjectStore) -> None:
    """Makes the namespace ``default`` if it is missing."""
    key = Key(NAMESPACES, "", DEFAULT_NAMESPACE)
    if await store.get(key) is not None:
        return
    namespace: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": DEFAULT_NAMESPACE}}
    stamp_new(namespace)
    begin(namespace)
    try:
        await store.write([creation(key, namespace, {})])
    except NameTaken:
        pass
