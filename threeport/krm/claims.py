"""Claims: a decision that holds for all objects of a kind is exact, though several processes make it at a time.

Who decides ("no other runtime is the default") first reads the claim, then looks at the objects, and has the claim
written in the transaction that writes what was decided. Of two that have read the same claim one comes too late, finds
its revision stale, and decides anew, with the other's object before its eyes.
"""

from __future__ import annotations

from typing import Final

from threeport.common.ids import new_uid
from threeport.krm.drafts import change, creation
from threeport.krm.interfaces import ObjectStore
from threeport.store.records import Key, Write

RESOURCE: Final = "claims"
"""Claims lie among the objects, under a resource that is not served."""


async def claimed(store: ObjectStore, name: str) -> Write:
    """The write that takes the claim of this name. Call it before looking at what is decided on."""
    key = Key(RESOURCE, "", name)
    held = await store.get(key)
    if held is None:
        return creation(key, {"metadata": {"name": name, "uid": new_uid(), "generation": 1}}, {})
    claim = held.decoded()
    claim["metadata"]["generation"] = held.generation + 1
    return change(held, claim, {})
