"""Waking an object that waits for another: its controller looks at it at once instead of after its delay.

Controllers never talk to each other, and a shard does not see the objects of another; so a wake-up call is a change of
the object itself, an annotation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from threeport.client import Client
from threeport.common.errors import NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.progress import WAKE_ANNOTATION
from threeport.resources.kind import Kind

AT_ONCE: Final = 16
"""Changes under way at the same time."""


async def wake(client: Client, kind: Kind, name: str, namespace: str | None, *, cause: str) -> None:
    """Makes the controller of the object look at it. `cause` tells this call from the last: a uid and a revision.

    An object that is gone needs no waking.
    """
    try:
        await client.patch(kind, name, namespace, _call(cause))
    except NotFound:
        return


async def wake_all(client: Client, kind: Kind, objects: Iterable[FrozenJson], *, cause: str) -> int:
    """Wakes all the objects. Returns how many."""
    return await change_all(client, kind, objects, _call(cause))


async def change_all(client: Client, kind: Kind, objects: Iterable[FrozenJson], change: FrozenJson) -> int:
    """Makes the same change, a merge patch, to all the objects. Returns how many of them are still there.

    What goes wrong with one of them keeps no other from being changed; it is raised afterwards.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def change_one(metadata: FrozenJson) -> bool:
        async with gate:
            try:
                await client.patch(kind, metadata["name"], metadata.get("namespace"), dict(change))
            except NotFound:
                return False
            return True

    changes = (change_one(obj["metadata"]) for obj in objects)
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return sum(map(bool, outcomes))


def cause_of(obj: FrozenJson) -> str:
    """The cause of a wake-up call that a change of `obj` makes: the same change calls once."""
    return f"{obj['metadata']['uid']}/{obj['metadata']['resourceVersion']}"


def _call(cause: str) -> JsonObject:
    return {"metadata": {"annotations": {WAKE_ANNOTATION: cause}}}
