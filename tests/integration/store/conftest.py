"""A store on a fresh schema, and short ways to say what to write."""

from __future__ import annotations

from collections.abc import Sequence

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
def store(database: Database, committed: list[StoredObject]) -> SqlObjectStore:
    """The store of API process number 1."""

    def note(changes: Sequence[StoredObject]) -> None:
        committed.extend(changes)

    return SqlObjectStore(database, RevisionClock(1), on_commit=note)
