"""Waking an object that waits for another: its controller looks at it at once instead of after its delay.

Controllers never talk to each other, and a shard does not see the objects of another; so a wake-up call is a change of
the object itself, an annotation.
"""

from __future__ import annotations

from threeport.client import Client
from threeport.common.errors import NotFound
from threeport.controller.progress import WAKE_ANNOTATION
from threeport.resources.kind import Kind


async def wake(client: Client, kind: Kind, name: str, namespace: str | None, *, cause: str) -> None:
    """Makes the controller of the object look at it. `cause` tells this call from the last: a uid and a revision.

    An object that is gone needs no waking.
    """
    try:
        await client.patch(kind, name, namespace, {"metadata": {"annotations": {WAKE_ANNOTATION: cause}}})
    except NotFound:
        return
