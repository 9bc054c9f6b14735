"""Objects that were read lately, for those who find out in another way whether they have changed since."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeAlias

from threeport.common.types import JsonObject

KEPT: Final = 16

Name: TypeAlias = tuple[str, str]
"""Namespace and name."""


class Remembered:
    """The objects of one kind that were read last, a few of them: they may be large, and hold secrets in clear."""

    def __init__(self, *, kept: int = KEPT) -> None:
        self._kept = kept
        self._objects: OrderedDict[Name, JsonObject] = OrderedDict()

    def get(self, name: Name) -> JsonObject | None:
        """The object as it was when it was read last. It is not to be changed."""
        if name in self._objects:
            self._objects.move_to_end(name)
        return self._objects.get(name)

    def put(self, name: Name, obj: JsonObject) -> None:
        """The object has been read; the one that was not asked for the longest is forgotten."""
        self._objects[name] = obj
        self._objects.move_to_end(name)
        while len(self._objects) > self._kept:
            self._objects.popitem(last=False)

    def drop(self, name: Name) -> None:
        """The object is gone."""
        self._objects.pop(name, None)
