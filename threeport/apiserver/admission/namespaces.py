"""The default namespace stays: it is where objects go when nobody names another."""

from __future__ import annotations

from typing import Final

from threeport.common.errors import Forbidden
from threeport.krm.interfaces import Admission

NAMESPACES: Final = "namespaces"
DEFAULT_NAMESPACE: Final = "default"


class NamespaceAdmitter:
    """Protects the default namespace. Implements `Admitter`."""

    async def admit(self, admission: Admission) -> None:
        """Raises `Forbidden` for the deletion of the default namespace."""
        is_default = admission.kind.resource == NAMESPACES and admission.key.name == DEFAULT_NAMESPACE
        if is_default and admission.operation == "DELETE":
            raise Forbidden(
                f'namespaces "{DEFAULT_NAMESPACE}" cannot be deleted: it is where objects go by default. '
                "Delete what is in it instead.",
                kind=NAMESPACES,
                name=DEFAULT_NAMESPACE,
            )
