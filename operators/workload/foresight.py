"""What a cluster would do with one manifest: asked of the cluster itself, by server-side apply as a dry run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from operators.workload.applying import refuse_foreign
from operators.workload.going import describe_going
from operators.workload.inventory import id_of, item_of
from operators.workload.plan import Live
from operators.workload.redaction import Redaction
from operators.workload.replacement import check_new, fields_of, is_replaceable, refusal
from threeport.common.differences import differences, given_differences
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import Cluster
from threeport.kube.errors import (
    Changed,
    ClusterError,
    ClusterUnreachable,
    DeniedByPolicy,
    FieldImmutable,
    KindUnknown,
    NamespaceMissing,
    Rejected,
)
from threeport.kube.labels import APPLIED_ANNOTATION

CREATE, CHANGE, REPLACE, PRUNE, UNCHANGED = "Create", "Change", "Replace", "Prune", "Unchanged"

STAND_IN_NAMESPACE = "default"
"""Where the manifests of a namespace that is yet to be made are checked: the cluster does not do it without one."""

_OF_THE_SERVER = frozenset({
    "managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink", "deletionTimestamp",
    "deletionGracePeriodSeconds",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """One cluster, and what is there of one instance. Nothing in it is changed."""

    cluster: Cluster
    live: Live
    uid: str
    """Of the instance."""
    is_new: bool
    """Whether the instance does not exist yet."""
    replaces: bool
    """Whether the definition allows that objects are replaced."""
    brought_kinds: Collection[tuple[str, str]]
    """(apiVersion, kind) of what the manifests define themselves."""
    redaction: Redaction

    async def of(self, manifest: JsonObject) -> JsonObject:
        """What applying it would do, as a preview shows it. Raises `ClusterUnreachable`."""
        found = self.live.get(id_of(item_of(manifest)))
        told = item_of(manifest) | {"action": CREATE if found is None else CHANGE}
        try:
            if found is None:
                return told | await self._creation(manifest)
            if found["metadata"].get("deletionTimestamp"):
                why = f"{describe_going(found)} is being deleted; it is created anew when it is gone"
                return told | {"action": CREATE, "message": why}
            return told | await self._change(manifest, found)
        except ClusterUnreachable:
            raise
        except ClusterError as error:
            return told | {"error": str(error)}

    async def _creation(self, manifest: JsonObject) -> JsonObject:
        try:
            await refuse_foreign(self.cluster, manifest, self.uid, is_new=self.is_new)
            await self.cluster.apply(manifest, dry_run=True)
        except KindUnknown:
            if (manifest["apiVersion"], manifest["kind"]) not in self.brought_kinds:
                raise
            return {"message": "its kind is yet to be defined, by the same workload; it is checked then"}
        except NamespaceMissing:
            await self._check_elsewhere(manifest)
        return {}

    async def _check_elsewhere(self, manifest: FrozenJson) -> None:
        """Raises `Rejected` for what would be wrong with it in any namespace."""
        elsewhere = {**manifest, "metadata": {**manifest["metadata"], "namespace": STAND_IN_NAMESPACE}}
        try:
            await self.cluster.create(elsewhere, dry_run=True)
        except (Changed, DeniedByPolicy):
            return  # the name is taken there, or the rules of that namespace forbid it: not those of the new one
        except (Rejected, ClusterUnreachable):
            raise
        except ClusterError:
            return

    async def _change(self, manifest: JsonObject, found: FrozenJson) -> JsonObject:
        try:
            after = await self.cluster.apply(manifest, dry_run=True)
        except FieldImmutable as error:
            return await self._replacement(manifest, found, error)
        told = [one.as_json() for one in differences(self._shown(found), self._shown(after))]
        return {"changes": told} if told else {"action": UNCHANGED}

    async def _replacement(self, manifest: JsonObject, found: FrozenJson, error: FieldImmutable) -> JsonObject:
        told = [one.as_json() for one in given_differences(self._shown(found), self._shown(manifest))]
        if not self.replaces or not is_replaceable(manifest):
            return {"changes": told, "error": str(refusal(error, found, manifest))}
        fields = ", ".join(fields_of(error, found, manifest))
        try:
            await check_new(self.cluster, manifest, fields)
        except Rejected as refused:
            return {"changes": told, "error": str(refused)}
        message = f"deleted and created anew, as {fields} cannot be changed in place"
        return {"action": REPLACE, "changes": told, "message": message}

    def _shown(self, obj: FrozenJson) -> JsonObject:
        """The object without what only the server writes, and without the values of secrets."""
        metadata = {name: value for name, value in obj["metadata"].items() if name not in _OF_THE_SERVER}
        annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != APPLIED_ANNOTATION}
        metadata = {**metadata, "annotations": annotations}
        return self.redaction.of({**{k: v for k, v in obj.items() if k != "status"}, "metadata": metadata})
