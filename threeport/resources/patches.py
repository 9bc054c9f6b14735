"""Patches of manifests: how one instance differs from its definition, so that environments need no templates."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from threeport.resources.model import Shape


class PatchTarget(Shape):
    """Which manifests a patch changes."""

    kind: Annotated[str, Field(min_length=1, description="Kind of the manifests, as `Deployment`.")]
    name: Annotated[str | None, Field(description="Name of the manifest; all of the kind if absent.")] = None

    @model_validator(mode="after")
    def _no_secret(self) -> PatchTarget:
        if self.kind == "Secret":
            raise ValueError(
                "a Secret cannot be patched, since the values would lie open here; put it into the definition"
            )
        return self


class ManifestPatch(Shape):
    """A change to some manifests of the definition; either `patch` or `jsonPatch`."""

    target: PatchTarget
    patch: Annotated[
        dict[str, Any] | None,
        Field(
            description="Fields to set, null to remove one. Kinds of Kubernetes itself merge strategically (containers "
            "by name); lists of other kinds are replaced."
        ),
    ] = None
    json_patch: Annotated[
        list[dict[str, Any]] | None,
        Field(
            min_length=1,
            description="Operations of a JSON patch (RFC 6902).",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> ManifestPatch:
        if (self.patch is None) == (self.json_patch is None):
            raise ValueError("give either patch or jsonPatch")
        return self
