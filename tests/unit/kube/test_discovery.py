"""Kinds are found when they appear; that one is missing is remembered for a while."""

from __future__ import annotations

import asyncio

import pytest

from threeport.common.types import JsonObject
from threeport.kube.discovery import Discovery
from threeport.kube.errors import KindUnknown

GROUP: JsonObject = {
    "resources": [
        {"name": "widgets", "kind": "Widget", "namespaced": True},
        {"name": "widgets/status", "kind": "Widget", "namespaced": True},
    ]
}


class Server:
    """Answers discovery from memory and counts the questions."""

    def __init__(self) -> None:
        self.groups: dict[str, JsonObject] = {}
        self.asked = 0

    async def fetch(self, path: str) -> JsonObject | None:
        self.asked += 1
        await asyncio.sleep(0)
        return self.groups.get(path)


async def test_a_missing_kind_is_not_asked_for_again_until_somebody_says_that_it_may_be_there() -> None:
    server = Server()
    discovery = Discovery(server.fetch)
    for _ in range(3):
        with pytest.raises(KindUnknown):
            await discovery.find("example.com/v1", "Widget")
    assert server.asked == 1
    server.groups["/apis/example.com/v1"] = GROUP
    discovery.forget_absence()
    found = await discovery.find("example.com/v1", "Widget")
    assert found.namespaced
    assert found.path("n", "x") == "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"
    assert found.path(None, None) == "/apis/example.com/v1/widgets"


async def test_a_known_kind_is_asked_for_once() -> None:
    server = Server()
    server.groups["/api/v1"] = {"resources": [{"name": "namespaces", "kind": "Namespace", "namespaced": False}]}
    discovery = Discovery(server.fetch)
    for _ in range(3):
        assert not (await discovery.find("v1", "Namespace")).namespaced
    assert server.asked == 1


async def test_those_who_begin_at_the_same_time_share_one_question() -> None:
    server = Server()
    server.groups["/apis/example.com/v1"] = GROUP
    discovery = Discovery(server.fetch)
    found = await asyncio.gather(*(discovery.find("example.com/v1", "Widget") for _ in range(16)))
    assert len(set(found)) == 1
    assert server.asked == 1
