"""Events: what a controller decided, told once. The same decision again raises the count of the one event."""

from __future__ import annotations

import hashlib
import logging
import socket
from datetime import UTC, datetime
from typing import Literal

from threeport.client import Client
from threeport.common.errors import AlreadyExists, ApiError
from threeport.common.types import FrozenJson
from threeport.resources.core import Event
from threeport.resources.model import kind_of

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 1024


async def record_event(
    client: Client,
    obj: FrozenJson,
    *,
    controller: str,
    reason: str,
    message: str,
    type: Literal["Normal", "Warning"] = "Normal",  # noqa: A002 # the field's name in Kubernetes
) -> None:
    """Tells of a decision about `obj`. An event that cannot be written is logged; work goes on."""
    try:
        await _record(client, obj, controller=controller, reason=reason, message=message[:MESSAGE_LIMIT], type=type)
    except ApiError as error:
        logger.info("No event %s for %s: %s", reason, obj["metadata"]["name"], error.message)


async def _record(client: Client, obj: FrozenJson, *, controller: str, reason: str, message: str, type: str) -> None:  # noqa: A002
    metadata, now = obj["metadata"], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    namespace = metadata.get("namespace") or "default"
    digest = hashlib.sha256(f"{metadata['uid']}/{reason}/{message}".encode()).hexdigest()[:16]
    name = f"{metadata['name'][:200]}.{digest}"
    body = {
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {
            "apiVersion": obj["apiVersion"],
            "kind": obj["kind"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
        },
        "type": type,
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": f"threeport-{controller}"},
        "reportingComponent": f"threeport.io/{controller}",
        "reportingInstance": socket.gethostname(),
    }
    try:
        await client.create(body, kind_of(Event))
    except AlreadyExists:
        former = await client.find(kind_of(Event), name, namespace)
        count = int((former or {}).get("count") or 0) + 1
        await client.patch(kind_of(Event), name, namespace, {"count": count, "lastTimestamp": now})
