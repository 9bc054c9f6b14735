"""Kinds of the core group that the API serves itself: Namespace and Event."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from threeport.resources.kind import Column, Kind
from threeport.resources.model import Resource, Shape, kind_of, resource


class NamespaceStatus(Shape):
    """Whether the namespace is in use or on its way out."""

    phase: Annotated[str, Field(description="Active or Terminating.")] = "Active"


@resource(
    plural="namespaces",
    group="",
    version="v1",
    namespaced=False,
    short_names=("ns",),
    categories=(),
    columns=(Column("Status", ".status.phase"), Column("Age", ".metadata.creationTimestamp", "date")),
)
class Namespace(Resource):
    """A space of names: objects of different teams do not collide, and access is granted per namespace."""

    spec: dict[str, Any] | None = None
    status: NamespaceStatus | None = None


EVENT_COLUMNS = (
    Column("Last Seen", ".lastTimestamp", "date"),
    Column("Type", ".type"),
    Column("Reason", ".reason"),
    Column("Object", ".involvedObject.kind .involvedObject.name"),
    Column("Subobject", ".involvedObject.fieldPath", priority=1),
    Column("Source", ".source.component .source.host", priority=1),
    Column("Message", ".message"),
    Column("First Seen", ".firstTimestamp", "date", 1),
    Column("Count", ".count", "integer", 1),
    Column("Name", ".metadata.name", priority=1),
)
"""What ``kubectl get events`` shows, of whichever server."""


@resource(
    plural="events",
    group="",
    version="v1",
    short_names=("ev",),
    categories=(),
    columns=EVENT_COLUMNS,
)
class Event(Resource):
    """Something that happened to an object, kept for an hour; repeats raise `count`."""

    involved_object: Annotated[dict[str, Any], Field(description="The object that this is about.")]
    type: Annotated[str, Field(pattern="^(Normal|Warning)$")] = "Normal"
    reason: str = ""
    message: Annotated[str, Field(max_length=4096)] = ""
    count: int = 1
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    action: str | None = None
    reporting_component: str | None = None
    reporting_instance: str | None = None
    source: dict[str, Any] | None = None
    related: dict[str, Any] | None = None
    series: dict[str, Any] | None = None


KINDS: tuple[Kind, ...] = (kind_of(Namespace), kind_of(Event))
