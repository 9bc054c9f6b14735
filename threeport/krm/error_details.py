"""What the details of an error say of the object that it is about."""

from __future__ import annotations

from threeport.common.errors import ApiError, Invalid
from threeport.resources.kind import Kind


def describe(error: ApiError, kind: Kind) -> None:
    """Completes what an error about an object of this kind says: as in Kubernetes `Invalid` names the kind, all others
    the resource."""
    if error.kind in (kind.plural, kind.kind) or (error.name and not error.kind):
        error.kind = kind.kind if isinstance(error, Invalid) else kind.plural
        error.group = kind.group
