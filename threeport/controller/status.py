"""Writing the status of an object that several handlers write, without losing what another wrote meanwhile.

kopf patches an object once, after its handler; between reading and that patch a report may have come in. So the
status is changed here as a function of what it is *now*: read, change, write on condition that nobody wrote in
between. A change that changes nothing writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Final

from threeport.client import Client
from threeport.common.errors import Conflict, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind

ATTEMPTS: Final = 8


async def write_status(
    client: Client,
    kind: Kind,
    obj: FrozenJson,
    change: Callable[[JsonObject, FrozenJson], None],
) -> JsonObject | None:
    """Applies `change(status, object)` to the status of the object that `obj` is a copy of, perhaps an old one.

    Returns the object as it then is, or None if it is gone (another of the same name is another object).
    Raises `Conflict` if others kept writing.
    """
    metadata = obj["metadata"]
    seen: FrozenJson = obj
    for attempt in range(ATTEMPTS):
        status = deepcopy(dict(seen.get("status") or {}))
        change(status, seen)
        patch = _difference(seen.get("status") or {}, status)
        try:
            if not patch:
                return dict(seen)
            return await client.patch(
                kind,
                metadata["name"],
                metadata.get("namespace"),
                {"metadata": {"resourceVersion": seen["metadata"]["resourceVersion"]}, "status": patch},
                subresource="status",
            )
        except NotFound:
            return None
        except Conflict:
            if attempt + 1 == ATTEMPTS:
                raise
        fresh = await client.find(kind, metadata["name"], metadata.get("namespace"))
        if fresh is None or fresh["metadata"]["uid"] != metadata["uid"]:
            return None
        seen = fresh
    raise AssertionError("unreachable: the last attempt returns or raises")


def _difference(old: FrozenJson, new: FrozenJson) -> JsonObject:
    """A merge patch of one level that makes `new` of `old`."""
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | {name: None for name in old if name not in new or new[name] is None and old[name] is not None}
