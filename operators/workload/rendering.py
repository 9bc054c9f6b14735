"""From the manifests of a definition to the objects of one instance: namespaces, labels, digests. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from threeport.common.ids import derived_name
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.labels import labelled, labels_of
from threeport.kube.manifest import prepared
from threeport.kube.ordering import in_order
from threeport.resources.manifests import digest_of

Scopes: TypeAlias = Mapping[tuple[str, str], bool]
"""(apiVersion, kind) -> whether its objects are in namespaces; kinds that nobody knows yet are not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose objects they are."""

    definition: str
    instance: str
    uid: str
    runtime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What has to be in the cluster."""

    manifests: Sequence[JsonObject]
    """In the order in which they are applied."""
    unknown: Sequence[FrozenJson]
    """Manifests of kinds that the cluster does not know yet; they are left for the next cycle."""
    namespace: str | None
    """Where objects go that name no namespace; None if there are none."""
    digest: str
    """Changes when anything of the above does."""


def render(manifests: Sequence[JsonObject], scopes: Scopes, identity: Identity) -> Desired:
    """The objects of one instance. A managed namespace is made unless the manifests bring one of their own."""
    known = [manifest for manifest in manifests if _kind_of(manifest) in scopes]
    unknown = [manifest for manifest in manifests if _kind_of(manifest) not in scopes]
    own = next((manifest["metadata"]["name"] for manifest in manifests if _is_namespace(manifest)), None)
    needs_namespace = any(
        scopes[_kind_of(manifest)] and not manifest["metadata"].get("namespace") for manifest in known
    )
    namespace = own or (managed_namespace(identity.instance, identity.uid) if needs_namespace or unknown else None)
    placed = [_placed(manifest, scopes[_kind_of(manifest)], namespace) for manifest in known]
    if namespace is not None and own is None:
        placed.insert(0, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    labels = labels_of(**asdict(identity))
    ready = in_order([prepared(labelled(manifest, labels)) for manifest in placed])
    return Desired(manifests=ready, unknown=unknown, namespace=namespace, digest=digest_of([*ready, *unknown]))


def managed_namespace(instance: str, uid: str) -> str:
    """The namespace that an instance gets in its cluster: its name and a suffix from its uid."""
    return derived_name(instance.replace(".", "-"), uid)


def scopes_from_definitions(manifests: Sequence[FrozenJson]) -> dict[tuple[str, str], bool]:
    """Scopes of the kinds that the manifests define themselves, by their CustomResourceDefinitions."""
    found: dict[tuple[str, str], bool] = {}
    for manifest in manifests:
        spec = manifest.get("spec")
        if manifest["kind"] != "CustomResourceDefinition" or not isinstance(spec, dict):
            continue
        kind = (spec.get("names") or {}).get("kind", "")
        for version in spec.get("versions") or ():
            found[f"{spec.get('group')}/{version.get('name')}", kind] = spec.get("scope") == "Namespaced"
    return found


def _placed(manifest: JsonObject, namespaced: bool, namespace: str | None) -> JsonObject:
    metadata = dict(manifest["metadata"])
    if not namespaced:
        metadata.pop("namespace", None)
    elif not metadata.get("namespace"):
        metadata["namespace"] = namespace
    return {**manifest, "metadata": metadata}


def _is_namespace(manifest: FrozenJson) -> bool:
    return bool(manifest["kind"] == "Namespace" and manifest["apiVersion"] == "v1")


def _kind_of(manifest: FrozenJson) -> tuple[str, str]:
    return manifest["apiVersion"], manifest["kind"]
