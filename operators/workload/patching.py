"""The patches of an instance, applied to the manifests of its definition. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Final

import jsonpatch
from jsonpointer import JsonPointerException

from threeport.common.errors import ApiError, Invalid
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.cycle import Refused
from threeport.krm.patches import merge_patched
from threeport.krm.strategic import strategic_merged
from threeport.resources.manifests import identity_of, split_manifests

REASON: Final = "InvalidPatch"

_MISFITS: Final = (
    ApiError, jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError, ValueError, IndexError,
    AttributeError,
)  # fmt: skip
"""What patching raises when patch and manifest do not fit."""


def patched(manifests: Sequence[JsonObject], patches: Sequence[FrozenJson]) -> list[JsonObject]:
    """The manifests with all patches applied in order. Raises `Refused` that names the patch and what is wrong."""
    result = list(manifests)
    for number, patch in enumerate(patches):
        field = f"spec.patches[{number}]"
        chosen = [index for index, manifest in enumerate(result) if _is_target(manifest, patch["target"])]
        if not chosen:
            raise Refused(REASON, f"{field} changes nothing: the definition has no {_text(patch['target'])}")
        for index in chosen:
            result[index] = _patched_one(result[index], patch, field)
    try:
        return split_manifests(result, field="the patched manifests") if patches else result
    except Invalid as error:
        raise Refused(REASON, f"spec.patches leave what is no Kubernetes object: {error.message}") from None


def _patched_one(manifest: JsonObject, patch: FrozenJson, field: str) -> JsonObject:
    before = identity_of(manifest)
    try:
        after = _apply(deepcopy(manifest), deepcopy(dict(patch)))
    except jsonpatch.JsonPatchTestFailed:
        why = "a test of it does not hold: the definition says something else there"
        raise Refused(REASON, f"{field} does not fit {before}: {why}") from None
    except _MISFITS as error:
        raise Refused(REASON, f"{field} does not fit {before}: {error}") from None
    metadata = after.get("metadata") if isinstance(after, dict) else None
    kept = isinstance(metadata, dict) and (after.get("kind"), metadata.get("name")) == (before.kind, before.name)
    if not kept or after.get("apiVersion") != manifest["apiVersion"]:
        raise Refused(
            REASON, f"{field} makes another object of {before}: apiVersion, kind and metadata.name have to stay"
        )
    return after


def _apply(manifest: JsonObject, patch: JsonObject) -> JsonObject:
    result: JsonObject
    if patch.get("jsonPatch") is not None:
        result = jsonpatch.JsonPatch(patch["jsonPatch"]).apply(manifest, in_place=True)
    elif _is_built_in(manifest):
        result = strategic_merged(manifest, patch["patch"])
    else:
        result = merge_patched(manifest, patch["patch"])
    return result


def _is_built_in(manifest: FrozenJson) -> bool:
    """Whether it is of a kind of Kubernetes itself: the lists of other kinds have no keys to merge by."""
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def _is_target(manifest: FrozenJson, target: FrozenJson) -> bool:
    named = target.get("name")
    return bool(manifest["kind"] == target["kind"] and named in (None, manifest["metadata"]["name"]))


def _text(target: FrozenJson) -> str:
    return f"{target['kind']} {target['name']}" if target.get("name") else str(target["kind"])
