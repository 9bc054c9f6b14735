"""Kinds are found when they appear; that one is missing is remembered for a while."""

from __future__ import annotations

import asyncio

import pytest

from threeport.common.types import JsonObject
from threeport.kube.discovery import Discovery
from threeport.kube.errors import ClusterUnreachable, KindUnknown

GROUP: JsonObject = {
    "resources": [
        {"name": "widgets", "kind": "Widget", "namespaced": True},
        {"name": "widgets/status", "kind": "Widget", "namespaced": True},
    ]
}


def groups(*versions: str) -> JsonObject:
    listed = [{"groupVersion": f"example.com/{version}"} for version in versions]
    return {"kind": "APIGroupList", "groups": [{"name": "example.com", "versions": listed}]}


class Server:
    """Answers discovery from memory and counts the questions."""

    def __init__(self) -> None:
        self.groups: dict[str, JsonObject] = {"/apis": groups("v1", "v1beta1")}
        self.asked = 0
        self.discovery = Discovery(self.fetch, "https://cluster")

    async def fetch(self, path: str) -> JsonObject | None:
        self.asked += 1
        await asyncio.sleep(0)
        return self.groups.get(path)


async def test_a_missing_kind_is_not_asked_for_again_until_somebody_says_that_it_may_be_there() -> None:
    server = Server()
    discovery = server.discovery
    for _ in range(3):
        with pytest.raises(KindUnknown):
            await discovery.find("example.com/v1", "Widget")
    assert server.asked == 2
    server.groups["/apis/example.com/v1"] = GROUP
    discovery.forget_absence()
    found = await discovery.find("example.com/v1", "Widget")
    assert found.namespaced
    assert found.path("n", "x") == "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"
    assert found.path(None, None) == "/apis/example.com/v1/widgets"


async def test_a_known_kind_is_asked_for_once() -> None:
    server = Server()
    server.groups["/api/v1"] = {"resources": [{"name": "namespaces", "kind": "Namespace", "namespaced": False}]}
    discovery = server.discovery
    for _ in range(3):
        assert not (await discovery.find("v1", "Namespace")).namespaced
    assert server.asked == 1


async def test_those_who_begin_at_the_same_time_share_one_question() -> None:
    server = Server()
    server.groups["/apis/example.com/v1"] = GROUP
    discovery = server.discovery
    found = await asyncio.gather(*(discovery.find("example.com/v1", "Widget") for _ in range(16)))
    assert len(set(found)) == 1
    assert server.asked == 1


async def test_no_kind_is_missing_for_a_server_that_is_no_cluster() -> None:
    server = Server()
    for answer in ({}, {"kind": "Welcome"}):
        server.groups["/apis"] = answer
        with pytest.raises(ClusterUnreachable, match="https://cluster does not answer as a Kubernetes API"):
            await server.discovery.find("example.com/v1", "Widget")
    server.groups = {"/apis": groups(), "/apis/example.com/v1": GROUP}
    assert (await server.discovery.find("example.com/v1", "Widget")).plural == "widgets"


async def test_stored_objects_are_where_another_version_of_their_kind_is() -> None:
    server = Server()
    server.groups["/apis/example.com/v1"] = GROUP
    with pytest.raises(KindUnknown):
        await server.discovery.find("example.com/v1beta1", "Widget")
    found = await server.discovery.find_stored("example.com/v1beta1", "Widget")
    assert found.api_version == "example.com/v1"
    with pytest.raises(KindUnknown):
        await server.discovery.find_stored("example.com/v1beta1", "Gadget")


async def test_a_kind_that_was_known_is_looked_for_anew_where_its_path_leads_nowhere() -> None:
    server = Server()
    server.groups["/apis/example.com/v1beta1"] = GROUP
    known = await server.discovery.find("example.com/v1beta1", "Widget")
    server.groups["/apis/example.com/v1"] = server.groups.pop("/apis/example.com/v1beta1")
    assert await server.discovery.find_stored("example.com/v1beta1", "Widget") is known
    assert (await server.discovery.find_anew(known, "Widget")).api_version == "example.com/v1"
