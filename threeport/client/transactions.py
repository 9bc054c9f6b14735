"""Several writes that happen together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from threeport.client.objects import declared_kind, encoded
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind

if TYPE_CHECKING:
    from threeport.resources.model import Resource

TRANSACTIONS_PATH = "/apis/threeport.io/v1alpha1/transactions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One write of a transaction. `obj` is the whole object; for a delete, its apiVersion, kind and names suffice."""

    verb: Literal["create", "update", "apply", "delete"]
    obj: Resource | FrozenJson

    def as_json(self) -> JsonObject:
        """The form in the request."""
        obj = dict(self.obj) if isinstance(self.obj, Mapping) else encoded(self.obj, declared_kind(type(self.obj)))
        return {"operation": self.verb, "object": obj}


def identity_of(obj: FrozenJson, kind: Kind) -> str:
    """``workload/wordpress``: how messages name an object."""
    return f"{kind.singular}/{obj['metadata']['name']}"
