"""A transaction becomes visible within five seconds of its stamps, or never: that is what watchers rely on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.fixtures.objects import creation, key_of
from tests.fixtures.proxy import Proxy, proxy_to
from threeport.common.revisions import TRANSACTION_LIMIT, RevisionClock, micros_of, system_micros
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.records import StoreUnavailable

LAST_STATEMENT = b"SELECT (extract(epoch"
NAMES = ("late-1", "late-2")


@pytest.fixture
async def proxy(postgres_dsn: str) -> AsyncIterator[Proxy]:
    """A way to the database that can be slow."""
    async with proxy_to(urlsplit(postgres_dsn).port or 5432) as proxy:
        yield proxy


@pytest.fixture
async def slow_store(database: Database, postgres_dsn: str, proxy: Proxy) -> AsyncIterator[SqlObjectStore]:
    """A store that reaches the database by that way."""
    port = urlsplit(postgres_dsn).port
    opened = Database(postgres_dsn.replace(f":{port}/", f":{proxy.port}/"), schema=database.schema)
    await opened.open()
    yield SqlObjectStore(opened, RevisionClock(2), on_commit=lambda stored: None)
    await opened.close()


@pytest.mark.slow
async def test_a_commit_that_is_held_back_on_its_way_does_not_come_too_late(
    database: Database, proxy: Proxy, slow_store: SqlObjectStore
) -> None:
    proxy.hold_back(LAST_STATEMENT, 3.0)
    proxy.hold_back(b"COMMIT", 3.0)
    with suppress(StoreUnavailable):
        await slow_store.write([creation(key_of(name)) for name in NAMES])
    # What was acknowledged at once, or by another attempt, was stamped lately; what was not is not there.
    stamped = [micros_of(revision) for (revision,) in await database.read("SELECT revision FROM objects")]
    assert all(system_micros() - micros < TRANSACTION_LIMIT for micros in stamped)
