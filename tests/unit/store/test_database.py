"""What a database is called, and what its silence means."""

from __future__ import annotations

import pytest

from threeport.store.database import Database
from threeport.store.records import StoreUnavailable


@pytest.mark.parametrize("name", ["", "Public", "a-b", "a;drop", "a b", "1a", "ü", "a" * 64])
def test_a_schema_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="schema"):
        Database("postgresql://localhost/none", schema=name)


async def test_before_it_is_open_it_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="not open"):
        await Database("postgresql://localhost/none").ping()
