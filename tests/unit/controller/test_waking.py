"""One change to many objects."""

from __future__ import annotations

from typing import cast

import pytest

from threeport.client import Client
from threeport.common.errors import Invalid, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.waking import change_all
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadInstance

INSTANCE = kind_of(WorkloadInstance)


class Refusing:
    """An API that has not all of the objects, and refuses the change of some."""

    def __init__(self) -> None:
        self.changed: list[str] = []

    async def patch(self, kind: object, name: str, namespace: str | None, change: FrozenJson) -> JsonObject:
        if name.startswith("gone"):
            raise NotFound(f"{name} not found")
        if name.startswith("odd"):
            raise Invalid(f"{name} is invalid")
        self.changed.append(name)
        return dict(change)


def objects(*names: str) -> list[JsonObject]:
    return [{"metadata": {"name": name, "namespace": "team"}} for name in names]


async def test_those_that_are_still_there_are_counted() -> None:
    api = Refusing()
    assert await change_all(cast(Client, api), INSTANCE, objects("a", "gone", "b"), {}) == 2


async def test_what_goes_wrong_with_one_keeps_no_other_from_being_changed_and_is_told_afterwards() -> None:
    api, names = Refusing(), [f"o-{number}" for number in range(40)]
    with pytest.raises(Invalid, match="odd-1 is invalid"):
        await change_all(cast(Client, api), INSTANCE, objects("odd-1", *names, "odd-2"), {})
    assert sorted(api.changed) == sorted(names)
