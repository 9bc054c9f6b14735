"""The entries of ``managedFields``: which manager owns which fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threeport.common.errors import BadRequest
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.apply.fieldsv1 import FieldSet, from_json, to_json


@dataclass(slots=True)
class Manager:
    """One entry of ``managedFields``: who, by which operation, on which subresource, owns which fields."""

    name: str
    operation: str
    subresource: str
    fields: FieldSet
    time: str
    api_version: str

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.name, self.operation, self.subresource

    def as_json(self) -> JsonObject:
        entry: JsonObject = {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_json(self.fields),
        }
        return {**entry, "subresource": self.subresource} if self.subresource else entry


def managers_of(obj: FrozenJson) -> list[Manager]:
    """The entries of ``managedFields``. Raises `BadRequest` for entries that are none."""
    entries = obj["metadata"].get("managedFields") or []
    try:
        return [_manager(entry) for entry in entries if entry]
    except (KeyError, TypeError, AttributeError):
        raise BadRequest("metadata.managedFields is malformed; leave it out, the server writes it") from None


def _manager(entry: FrozenJson) -> Manager:
    return Manager(
        name=str(entry["manager"]),
        operation=str(entry["operation"]),
        subresource=str(entry.get("subresource", "")),
        fields=from_json(entry.get("fieldsV1") or {}),
        time=str(entry.get("time", "")),
        api_version=str(entry.get("apiVersion", "")),
    )


def in_place(managers: Sequence[Manager], before: Manager | None, mine: Manager) -> list[Manager]:
    """The managers with an entry renewed where it stood, so that nothing changes when nothing has changed."""
    if before is None:
        return [*managers, mine]
    return [mine if manager is before else manager for manager in managers]


def write_managers(obj: JsonObject, managers: Sequence[Manager]) -> None:
    """Sets ``managedFields`` of `obj`, leaving out managers that own nothing."""
    metadata = {**obj["metadata"]}
    metadata["managedFields"] = [manager.as_json() for manager in managers if manager.fields]
    obj["metadata"] = metadata
