"""A store on a fresh schema."""

from __future__ import annotations

import pytest

from threeport.common.revisions import RevisionClock
from threeport.store.database import Database
from threeport.store.objects import SqlObjectStore
from threeport.store.records import StoredObject


@pytest.fixture
def committed() -> list[StoredObject]:
    """Everything that `store` has reported after its commits."""
    return []


@pytest.fixture
def clock() -> RevisionClock:
    """The clock of `store`, the one of API process number 1."""
    return RevisionClock(1)


@pytest.fixture
def store(database: Database, clock: RevisionClock, committed: list[StoredObject]) -> SqlObjectStore:
    """A store that notes what it commits."""
    return SqlObjectStore(database, clock, on_commit=committed.extend)
