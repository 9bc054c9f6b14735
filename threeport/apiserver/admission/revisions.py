"""Revisions of definitions are what ran: they never change."""

from __future__ import annotations

from typing import Final

from threeport.common.errors import Cause, Invalid
from threeport.krm.interfaces import Admission

REVISIONS: Final = "workloaddefinitionrevisions.threeport.io"


class RevisionAdmitter:
    """Refuses changes of the spec of a revision. Implements `Admitter`."""

    async def admit(self, admission: Admission) -> None:
        """Raises `Invalid` for an update that changes more than metadata."""
        if admission.kind.resource != REVISIONS or admission.old is None or admission.new is None:
            return
        if admission.new.get("spec") != admission.old.get("spec"):
            message = "cannot change: change the definition, which makes a new revision"
            raise Invalid(
                f'{admission.kind.kind} "{admission.key.name}" is invalid: spec {message}.',
                kind=admission.kind.kind,
                name=admission.key.name,
                causes=[Cause("spec", message, "FieldValueForbidden")],
            )
