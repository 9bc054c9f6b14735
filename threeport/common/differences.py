"""What differs between two states of an object, field by field.

Fields are named as people do: ``spec.template.spec.containers[name=web].image``. Items of lists are told apart by
what names them (``name``; kind and name of manifests), so that one that is added in front does not make all others
look changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

from threeport.common.types import JsonObject

_Namer: TypeAlias = Callable[[Sequence[JsonObject]], list[str] | None]
"""Gives every item of a list a name of its own, if it can."""

_NAMING: Final = ("name", "key", "type", "mountPath", "containerPort", "port")
"""Fields that tell the items of a list apart, the first that all of them have with different values."""


class Absent(Enum):
    """Stands for a field that is not there, which is something else than null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Difference(NamedTuple):
    """One field, and what it is before and after; `ABSENT` where it is not there."""

    path: str
    old: Any
    new: Any

    def as_json(self) -> JsonObject:
        """With ``old`` and ``new`` as far as they are there."""
        found = {"path": self.path, "old": self.old, "new": self.new}
        return {name: value for name, value in found.items() if value is not ABSENT}


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """Every field in which two JSON values differ. What is added or removed as a whole is one difference."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), _below(path, key))
    elif _is_list_of_objects(old) and _is_list_of_objects(new) and (old or new):
        yield from _of_lists(old, new, path)
    elif not _same(old, new):
        yield Difference(path, old, new)


def given_differences(live: Any, given: Any, path: str = "") -> Iterator[Difference]:
    """As `differences`, for the fields that `given` has: what others added to `live` is none."""
    if isinstance(live, dict) and isinstance(given, dict):
        for key, value in given.items():
            yield from given_differences(live.get(key, ABSENT), value, _below(path, key))
    elif _is_list_of_objects(live) and _is_list_of_objects(given) and given:
        before, after = _by_name(live, given)
        for name, item in after.items():
            yield from given_differences(before.get(name, ABSENT), item, f"{path}[{name}]")
    elif not _same(live, given):
        yield Difference(path, live, given)


def _of_lists(old: Sequence[JsonObject], new: Sequence[JsonObject], path: str) -> Iterator[Difference]:
    before, after = _by_name(old, new)
    for name in [*before, *(name for name in after if name not in before)]:
        yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), f"{path}[{name}]")
    stayed = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    if stayed != moved:
        yield Difference(f"{path} (order)", stayed, moved)


def _by_name(old: Sequence[JsonObject], new: Sequence[JsonObject]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The items of two lists by what names them in both, else by their index."""
    namings: Sequence[_Namer] = (_identities, *map(_named_by, _NAMING))
    for naming in namings:
        before, after = naming(old), naming(new)
        if before is not None and after is not None:
            return dict(zip(before, old, strict=True)), dict(zip(after, new, strict=True))
    return {str(index): item for index, item in enumerate(old)}, {str(index): item for index, item in enumerate(new)}


def _named_by(field: str) -> _Namer:
    def names_of(items: Sequence[JsonObject]) -> list[str] | None:
        values = [item.get(field) for item in items]
        names = [f"{field}={value}" for value in values if isinstance(value, str | int)]
        return names if len(names) == len(items) == len(set(names)) else None

    return names_of


def _identities(items: Sequence[JsonObject]) -> list[str] | None:
    """Manifests, by kind, namespace and name."""
    names = [
        "/".join(str(part) for part in (item["kind"], metadata.get("namespace"), metadata["name"]) if part)
        for item in items
        if isinstance(metadata := item.get("metadata"), dict) and "name" in metadata and "kind" in item
    ]
    return names if len(names) == len(items) == len(set(names)) else None


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _same(one: Any, other: Any) -> bool:
    """Unlike ``==`` it tells true and 1 apart."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _below(path: str, key: str) -> str:
    if "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
