"""Previews are taken away, however the asking ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from threeport.cli.previews import Question, foresee
from threeport.client import Client
from threeport.common.errors import Invalid
from threeport.common.types import FrozenJson, JsonObject


class Api:
    """Keeps previews, which nobody answers. One of the instance `odd` is refused; `slow` are made when it is told."""

    def __init__(self) -> None:
        self.previews: list[str] = []
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def create(self, body: FrozenJson, _: object) -> JsonObject:
        instance = body["spec"]["instanceRef"]["name"]
        self.asked.set()
        if instance == "slow":
            await self.go_on.wait()
        if instance == "odd":
            while not self.previews:
                await asyncio.sleep(0)
            raise Invalid("no such thing")
        self.previews.append(body["metadata"]["name"])
        return {"metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"}}

    async def watch(self, *_: object, **__: object) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield None

    async def delete(self, _: object, name: str, *__: object, **___: object) -> None:
        self.previews.remove(name)


def questions(*names: str) -> list[Question]:
    return [Question(name=name, namespace="team") for name in names]


async def test_when_one_is_refused_the_others_are_taken_away_before_it_is_said() -> None:
    api = Api()
    with pytest.raises(Invalid, match="no such thing"):
        await foresee(cast(Client, api), questions("a", "b", "odd", "c"))
    assert api.previews == []


async def test_one_that_is_being_made_when_somebody_breaks_off_is_taken_away() -> None:
    api = Api()
    asking = asyncio.create_task(foresee(cast(Client, api), questions("slow")))
    await api.asked.wait()
    asking.cancel()
    api.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert api.previews == []
