"""Lists that merge: items are told apart by an identity, and stand in the order that a patch wants.

The order is that of kube-apiserver (apimachinery, ``strategicpatch.mergeSortedSlice``): items of the patch as it has
them, all others where they were relative to those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

from threeport.common.errors import BadRequest

Identity: TypeAlias = Callable[[Any], Hashable]


def union(
    items: Sequence[Any], changes: Sequence[Any], identity: Identity, merge: Callable[[Any, Any], Any]
) -> list[Any]:
    """Items with the changes merged in: each into the first item of its identity, or as an item of its own."""
    merged = list(items)
    places = _first_places([identity(item) for item in items])
    for change in changes:
        place = places.setdefault(identity(change), len(merged))
        if place == len(merged):
            merged.append(merge({}, change))
        else:
            merged[place] = merge(merged[place], change)
    return merged


def in_order(
    items: Sequence[Any], wanted: Sequence[Hashable], before: Sequence[Hashable], identity: Identity
) -> list[Any]:
    """Items of the identities `wanted` in that order; others where they were among those `before`, new ones first."""
    places, were = _first_places(wanted), _first_places(before)
    named = deque(sorted((item for item in items if identity(item) in places), key=lambda one: places[identity(one)]))
    others = deque(item for item in items if identity(item) not in places)
    woven: list[Any] = []
    while named and others:
        other, next_named = were.get(identity(others[0])), were.get(identity(named[0]))
        comes_first = other is not None and next_named is not None and other < next_named
        woven.append((others if comes_first else named).popleft())
    return [*woven, *named, *others]


def check_order(name: str, items: Sequence[Hashable], order: Sequence[Hashable]) -> None:
    """Raises `BadRequest` unless the items of a patch stand in the order that it wants."""
    places = _first_places(order)
    found = [places.get(item, -1) for item in dict.fromkeys(items)]
    if -1 in found or found != sorted(found):
        raise BadRequest(f"{name} of the patch are not in the order of its $setElementOrder/{name}")


def _first_places(identities: Sequence[Hashable]) -> dict[Hashable, int]:
    return {one: place for place, one in reversed(list(enumerate(identities)))}
