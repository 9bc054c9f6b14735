"""Names of kinds and objects in a cluster."""

from __future__ import annotations

from typing import NamedTuple

from threeport.common.types import FrozenJson


class KindName(NamedTuple):
    """A kind as objects name it: ``apps/v1`` and ``Deployment``."""

    api_version: str
    kind: str


class ObjectName(NamedTuple):
    """An object as an inventory names it; `namespace` is empty for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def of_kind(self) -> KindName:
        """Its kind."""
        return KindName(self.api_version, self.kind)

    @classmethod
    def of(cls, kind: KindName, obj: FrozenJson) -> ObjectName:
        """The name of an object that was listed as one of `kind` (items of lists do not say what they are)."""
        metadata = obj["metadata"]
        return cls(kind.api_version, kind.kind, metadata.get("namespace") or "", metadata["name"])


class Collection(NamedTuple):
    """Where the objects of a kind are listed: ``/apis/apps/v1/deployments``."""

    path: str
    namespaced: bool
