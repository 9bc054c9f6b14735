"""What is asked of a write, what is planned for it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from threeport.krm.interfaces import Caller
from threeport.krm.paths import Target
from threeport.resources.kind import FieldValidation, Kind
from threeport.store.records import Key, Operation, StoredObject, Write


@dataclass(frozen=True, slots=True)
class Options:
    """How a write is to be made."""

    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    manager: str = "unknown"
    force: bool = False
    together: frozenset[Key] = frozenset()
    """What the same transaction creates or applies: it will be there when this is."""
    planned: Mapping[Key, StoredObject] = field(default_factory=dict)
    """What earlier operations of the same transaction make of their objects."""


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """Who wants to write what, and how."""

    caller: Caller
    target: Target
    options: Options


@dataclass(frozen=True, slots=True)
class Plan:
    """A write that is ready, or (`write` None) the finding that there is nothing to write."""

    kind: Kind
    write: Write | None
    outcome: StoredObject
    """The object as it is, or will be."""
    warnings: list[str] = field(default_factory=list)
    claims: Sequence[Write] = ()
    """What is written in the same transaction: `threeport.krm.claims`."""

    @property
    def creates(self) -> bool:
        return self.write is not None and self.write.operation is Operation.CREATE

    def written(self, stored: StoredObject) -> Written:
        """What came of the plan, given what is stored now."""
        return Written(self.kind, stored, self.creates, self.warnings)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write."""

    kind: Kind
    stored: StoredObject
    created: bool
    warnings: list[str]
