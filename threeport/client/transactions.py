"""Several writes that happen together or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from threeport.client.objects import encoded
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind
from threeport.resources.model import Resource, kind_of

TRANSACTIONS_PATH = "/apis/threeport.io/v1alpha1/transactions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One write of a transaction. `obj` is the whole object; for a delete, its apiVersion, kind and names suffice."""

    verb: Literal["create", "update", "apply", "delete"]
    obj: Resource | FrozenJson

    def as_json(self) -> JsonObject:
        """The form in the request."""
        obj = encoded(self.obj, kind_of(type(self.obj))) if isinstance(self.obj, Resource) else dict(self.obj)
        return {"operation": self.verb, "object": obj}


def identity_of(obj: FrozenJson, kind: Kind) -> str:
    """``workload/wordpress``: how messages name an object."""
    return f"{kind.singular}/{obj['metadata']['name']}"
