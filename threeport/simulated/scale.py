"""``/scale`` of what has replicas: ``kubectl scale`` and autoscalers know no other way to change their number.

Source: Kubernetes, ``autoscaling/v1``, ``Scale``.
"""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

from threeport.common.errors import BadRequest, Conflict, Invalid, MethodNotAllowed, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.answers import json_answer
from threeport.krm.apply.tracking import track_update
from threeport.krm.bodies import decode_object, read_limited
from threeport.krm.interfaces import Caller
from threeport.krm.patches import MERGE, merge_patched
from threeport.krm.paths import Target
from threeport.simulated.world import Entry, World
from threeport.store.records import StaleRevision

SCALED: Final = ("deployments.apps", "replicasets.apps", "statefulsets.apps")


class Scale:
    """Answers for the kinds in `SCALED`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: web.Request, _caller: Caller, target: Target) -> web.StreamResponse:
        """GET, PUT, or PATCH with a merge patch. Raises `Conflict` if the object changes at the same time."""
        entry = self._found(target)
        if request.method == "GET":
            return json_answer(_scale(entry))
        wanted = _wanted(await self._document(request, entry))
        manager = request.query.get("fieldManager") or request.headers.get("User-Agent", "").partition("/")[0]
        if not request.query.get("dryRun"):
            try:
                await self._world.update(entry, lambda obj: _set(obj, target, wanted, manager or "unknown"))
            except StaleRevision:
                raise Conflict(f"{target.kind.resource} {target.name!r} has changed; read it again") from None
        return json_answer(_scale(self._found(target)))

    def _found(self, target: Target) -> Entry:
        entry = self._world.find(target.key)
        if entry is None:
            resource = target.kind.resource
            raise NotFound(f'{resource} "{target.name}" not found', kind=target.kind.plural, name=target.name)
        return entry

    async def _document(self, request: web.Request, entry: Entry) -> JsonObject:
        document = decode_object(await read_limited(request), request.content_type)
        if request.method == "PUT":
            return document
        if request.method != "PATCH" or request.content_type != MERGE:
            raise MethodNotAllowed(f"/scale takes GET, PUT, and PATCH as {MERGE}")
        merged: JsonObject = merge_patched(_scale(entry), document)
        return merged


def _set(obj: JsonObject, target: Target, replicas: int, manager: str) -> None:
    before: JsonObject = orjson.loads(orjson.dumps(obj))
    obj["spec"]["replicas"] = replicas
    track_update(target.kind, before, obj, manager=manager, subresource="scale")


def _wanted(scale: FrozenJson) -> int:
    spec = scale.get("spec") or {}
    replicas = spec.get("replicas", 0) if isinstance(spec, dict) else None
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise BadRequest("spec.replicas of a Scale must be a number")
    if replicas < 0:
        raise Invalid("spec.replicas of a Scale must be 0 or more")
    return replicas


def _scale(entry: Entry) -> JsonObject:
    metadata, spec, status = entry.obj["metadata"], entry.obj["spec"], entry.obj.get("status") or {}
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    kept = ("name", "namespace", "uid", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {**{key: metadata[key] for key in kept}, "resourceVersion": str(entry.stored.revision)},
        "spec": {"replicas": spec.get("replicas", 0)},
        "status": {
            "replicas": status.get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }
