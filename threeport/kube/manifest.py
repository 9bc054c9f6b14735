"""Manifests made ready for server-side apply, and a look at whether what is in the cluster is still as applied."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import orjson

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.cluster import FIELD_MANAGER
from threeport.kube.labels import APPLIED_ANNOTATION
from threeport.resources.manifests import digest_of

_OF_THE_SERVER: Final = (
    "managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink", "deletionTimestamp",
    "deletionGracePeriodSeconds", "ownerReferences",
)  # fmt: skip
_UNOWNED: Final = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}


def prepared(manifest: FrozenJson) -> JsonObject:
    """A copy without what only the server writes (manifests are often copied from clusters), with the digest of
    itself as an annotation. ``stringData`` becomes ``data``, since keys dropped from it would stay in the cluster."""
    copy = deepcopy({key: value for key, value in manifest.items() if key != "status"})
    metadata = copy["metadata"] = {k: v for k, v in copy["metadata"].items() if k not in _OF_THE_SERVER}
    if copy["kind"] == "Secret" and copy.get("stringData"):
        texts = copy.pop("stringData")
        encoded = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
        copy["data"] = {**(copy.get("data") or {}), **encoded}
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != APPLIED_ANNOTATION}
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
    metadata["annotations"] = {**annotations, APPLIED_ANNOTATION: digest_of([copy])}
    return copy


def is_current(desired: FrozenJson, live: FrozenJson) -> bool:
    """Whether `live` was applied from exactly this manifest. It may have been changed by others since."""
    annotations = live["metadata"].get("annotations") or {}
    return bool(annotations.get(APPLIED_ANNOTATION) == desired["metadata"]["annotations"][APPLIED_ANNOTATION])


def drifted_fields(desired: FrozenJson, live: FrozenJson) -> list[str]:
    """Fields of `desired` that somebody else has taken over and changed, as ``spec.replicas`` or
    ``spec.template.spec.containers[name=web].image``.

    The server keeps account of who owns which field (``managedFields``); a change by another takes a field away.
    What the server itself rewrites (``1000m`` to ``1``) stays ours and is no drift.
    """
    owned = _owned(live, desired["apiVersion"])
    if owned is None:
        return ["metadata.managedFields"]
    lost = [
        path
        for path in _lost((), desired, owned, live)
        if path not in _UNOWNED and path[:3] != ("metadata", "annotations", APPLIED_ANNOTATION)
    ]
    return [_text(path) for path in lost]


def _owned(live: FrozenJson, api_version: str) -> FrozenJson | None:
    for entry in live["metadata"].get("managedFields") or ():
        ours = entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"
        if ours and not entry.get("subresource") and entry.get("apiVersion") == api_version:
            fields: FrozenJson = entry.get("fieldsV1") or {}
            return fields
    return None


def _lost(path: tuple[str, ...], desired: Any, owned: FrozenJson, live: Any) -> Iterator[tuple[str, ...]]:
    """Paths below `path` that neither stand in `owned` nor have the wanted value. `{}` in it owns all below."""
    if not set(owned) - {"."}:
        return
    if isinstance(desired, dict):
        for key, value in desired.items():
            below = live.get(key) if isinstance(live, dict) else None
            if value is None or value == below:
                continue
            if f"f:{key}" in owned:
                yield from _lost((*path, key), value, owned[f"f:{key}"], below)
            else:
                yield from _differing((*path, key), value, below)
    elif isinstance(desired, list):
        for number, item in enumerate(desired):
            yield from _lost_item(path, number, item, owned, live)


def _differing(path: tuple[str, ...], desired: Any, live: Any) -> Iterator[tuple[str, ...]]:
    """What exactly is different below a field of which nothing is ours any more."""
    if desired and isinstance(desired, dict) and isinstance(live, dict):
        for key, value in desired.items():
            if value is not None and value != live.get(key):
                yield from _differing((*path, key), value, live.get(key))
    else:
        yield path


def _lost_item(
    path: tuple[str, ...], number: int, item: Any, owned: FrozenJson, live: Any
) -> Iterator[tuple[str, ...]]:
    """An item of a list whose items are owned one by one: by keys (``k:{"name":"x"}``) or by value (``v:"x"``)."""
    live_items = live if isinstance(live, list) else []
    if item in live_items:
        return
    for step, below in owned.items():
        if step.startswith("k:") and isinstance(item, dict):
            keys = orjson.loads(step[2:])
            if all(item.get(key, value) == value for key, value in keys.items()):
                found = next((one for one in live_items if _has(one, keys)), None)
                key = next(iter(keys))
                yield from _lost((*path, f"[{key}={keys[key]}]"), item, below, found)
                return
    name = item.get("name") if isinstance(item, dict) else None
    yield (*path, f"[name={name}]" if name else f"[{number}]")


def _text(path: tuple[str, ...]) -> str:
    """As differences are named (`threeport.common.differences`)."""
    return "".join(map(_step, path)).lstrip(".")


def _step(name: str) -> str:
    if name.startswith("["):
        return name
    return f"[{name}]" if "." in name or "/" in name else f".{name}"


def _has(item: Any, keys: FrozenJson) -> bool:
    return isinstance(item, dict) and all(item.get(key) == value for key, value in keys.items())
