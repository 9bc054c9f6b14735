"""Waiting for the end of an object: its absence from a list that is older than the object is no end."""

from __future__ import annotations

import asyncio
import ssl
import urllib.request
import uuid
from contextlib import aclosing

import orjson

from tests.fixtures.api import Api
from tests.fixtures.manifests import CONFIG
from threeport.cli.following import Following
from threeport.cli.ordering import Target
from threeport.cli.waiting import until_gone
from threeport.client import Client, ClientSettings
from threeport.client.paths import collection_path
from threeport.common.types import JsonObject
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadDefinition

DEFINITION = kind_of(WorkloadDefinition)
HELD = ["example.com/hold"]


def create_meanwhile(settings: ClientSettings, body: JsonObject) -> JsonObject:
    """Creates it while the event loop stands still: no watch hears of it before."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.load_cert_chain(str(settings.cert_file), str(settings.key_file))
    url = settings.url + collection_path(DEFINITION, "default")
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, orjson.dumps(body), headers, method="POST")
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        made: JsonObject = orjson.loads(answer.read())
    return made


async def test_the_end_of_an_object_that_is_younger_than_the_list_is_awaited(api: Api) -> None:
    name = f"late-{uuid.uuid4().hex[:8]}"
    metadata = {"name": name, "namespace": "default"}
    target = Target(DEFINITION, {"metadata": metadata})
    body = {
        "apiVersion": DEFINITION.api_version,
        "kind": DEFINITION.kind,
        "metadata": {**metadata, "finalizers": HELD},
        "spec": {"manifests": [CONFIG]},
    }
    async with Client(api.admin) as client, Following(client, [target]) as following:
        async with aclosing(following.states(target)) as states:
            assert await anext(states) is None
        made = create_meanwhile(api.admin, body)
        await following.note(target, made)
        await client.delete(DEFINITION, name, "default", uid=made["metadata"]["uid"])
        held, said = asyncio.Event(), list[str]()

        def say(message: str) -> None:
            said.append(message)
            held.set()

        end = asyncio.create_task(until_gone(following, target, uid=made["metadata"]["uid"], seconds=30, say=say))
        await asyncio.wait([end, asyncio.create_task(held.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert not end.done(), "it is held by a finalizer"
        assert name in said[0]
        await client.patch(DEFINITION, name, "default", {"metadata": {"finalizers": None}})
        await end
