"""Events to try the rules with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from threeport.store.records import Key, StoredObject

MakeEvent = Callable[..., StoredObject]


@pytest.fixture
def event() -> MakeEvent:
    """Makes an event: ``event("name", "uid", revision, deleted=False)``."""

    def make(name: str, uid: str, revision: int, *, deleted: bool = False, resource: str = "things") -> StoredObject:
        return StoredObject(
            key=Key(resource, "", name),
            uid=uid,
            revision=revision,
            generation=1,
            body='{"metadata":{}}',
            deleted=deleted,
        )

    return make
