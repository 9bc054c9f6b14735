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
from threeport.common.types import FrozenJson
from threeport.controller.progress import WAKE_ANNOTATION
from threeport.resources.kind import Kind

AT_ONCE: Final = 16
"""Wake-up calls under way at the same time."""


async def wake(client: Client, kind: Kind, name: str, namespace: str | None, *, cause: str) -> None:
    """Makes the controller of the object look at it. `cause` tells this call from the last: a uid and a revision.

    An object that is gone needs no waking.
    """
    try:
        await client.patch(kind, name, namespace, {"metadata": {"annotations": {WAKE_ANNOTATION: cause}}})
    except NotFound:
        return


async def wake_all(client: Client, kind: Kind, objects: Iterable[FrozenJson], *, cause: str) -> int:
    """Wakes all the objects that are not on their way out. Returns how many."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def wake_one(metadata: FrozenJson) -> None:
        async with gate:
            await wake(client, kind, metadata["name"], metadata.get("namespace"), cause=cause)

    living = [obj["metadata"] for obj in objects if not obj["metadata"].get("deletionTimestamp")]
    await asyncio.gather(*(wake_one(metadata) for metadata in living))
    return len(living)


def cause_of(obj: FrozenJson) -> str:
    """The cause of a wake-up call that a change of `obj` makes: the same change calls once."""
    return f"{obj['metadata']['uid']}/{obj['metadata']['resourceVersion']}"
