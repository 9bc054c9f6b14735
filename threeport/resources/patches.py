"""Patches of manifests: how one instance differs from its definition, so that environments need no templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from threeport.resources.model import Shape

_POINTERS: Final[dict[object, Sequence[str]]] = {
    "add": ("path",), "remove": ("path",), "replace": ("path",), "test": ("path",),
    "move": ("from", "path"), "copy": ("from", "path"),
}  # fmt: skip
"""The operations of a JSON patch, and their fields that point into the object (RFC 6902, section 4)."""

_VALUED: Final = ("add", "replace", "test")
"""Operations that need a value."""


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
        for number, operation in enumerate(self.json_patch or ()):
            if problem := _problem(operation):
                raise ValueError(f"operation {number} of jsonPatch: {problem}")
        return self


def _problem(operation: Mapping[str, Any]) -> str | None:
    """What is wrong with an operation, whatever it is applied to."""
    name = operation.get("op")
    if not isinstance(name, str) or name not in _POINTERS:
        return f"op is {name!r}; expected one of {', '.join(map(str, _POINTERS))}"
    for field in _POINTERS[name]:
        pointer = operation.get(field)
        if not isinstance(pointer, str) or not (pointer.startswith("/") or not pointer):
            return f"{field} is {pointer!r}; expected a pointer such as /spec/replicas"
    if name in _VALUED and "value" not in operation:
        return f"{name} needs a value"
    return None
