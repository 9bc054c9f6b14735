"""Runtimes: there is one default at most, else where a workload runs would be a matter of luck; and the name of each is
a label of the reports of its agent."""

from __future__ import annotations

from threeport.apiserver.admission.fields import values_at
from threeport.apiserver.authorization import RUNTIMES
from threeport.common.errors import Cause, Invalid
from threeport.krm.claims import claimed
from threeport.krm.interfaces import Admission, ObjectStore
from threeport.krm.metadata_rules import LONGEST_LABEL
from threeport.store.records import Listing

_FIELD = ("spec", "defaultRuntime")


class RuntimeNameAdmitter:
    """Refuses a new runtime whose name is too long for a label: its agent could never report. Implements `Admitter`."""

    async def admit(self, admission: Admission) -> None:
        """Raises `Invalid` that says how long a name may be."""
        if admission.kind.resource != RUNTIMES or admission.operation != "CREATE":
            return
        if len(admission.key.name) > LONGEST_LABEL:
            message = f"must be at most {LONGEST_LABEL} characters long: it is a label of what its agent reports"
            raise _invalid(admission, "metadata.name", message)


class DefaultRuntimeAdmitter:
    """Refuses a second default runtime, whichever process is asked and when. Implements `Admitter`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def admit(self, admission: Admission) -> None:
        """Raises `Invalid`, naming the runtime that is the default now, and remains so in the same transaction."""
        if admission.kind.resource != RUNTIMES or not _is_default(admission.new) or _is_default(admission.old):
            return
        admission.claims.append(await claimed(self._store, "default-runtime"))
        page = await self._store.list_page(Listing(RUNTIMES))
        for found in page.items:
            other = admission.planned.get(found.key, found)
            if other.key != admission.key and not (other.deleting or other.deleted) and _is_default(other.decoded()):
                message = f"is set on {other.key.name!r} already: set it to false there first"
                raise _invalid(admission, ".".join(_FIELD), message, "FieldValueDuplicate")


def _invalid(admission: Admission, field: str, message: str, reason: str = "FieldValueInvalid") -> Invalid:
    return Invalid(
        f'{admission.kind.kind} "{admission.key.name}" is invalid: {field} {message}.',
        kind=admission.kind.kind,
        name=admission.key.name,
        causes=[Cause(field, message, reason)],
    )


def _is_default(obj: object) -> bool:
    return any(value is True for value in values_at(obj, _FIELD))
