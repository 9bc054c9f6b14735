"""What the tests of clients share."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"c-{uuid.uuid4().hex[:10]}"
