"""``tptctl describe``: an object with its conditions, what its agents see, and its events, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from threeport.cli.arguments import objects_argument
from threeport.cli.console import age_since, columns, result
from threeport.cli.instances import parts_of
from threeport.cli.session import connected, control_plane_option, named_objects, namespace_of, namespace_option, run
from threeport.cli.times import parse_time
from threeport.cli.yaml_output import as_yaml, with_short_certificates
from threeport.client import Client
from threeport.common.errors import ApiError
from threeport.common.types import JsonObject
from threeport.resources.core import Event
from threeport.resources.kind import Kind
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadInstance, WorkloadReport
from threeport.store.records import Key

SPEC_LINES = 60
"""Lines of a section that are shown; `tptctl get` with `-o yaml` has the rest."""


@click.command()
@objects_argument
@namespace_option
@control_plane_option
def command(what: tuple[str, ...], namespace: str, control_plane: str | None) -> None:
    """Show everything about objects: their conditions, what runs of them, and their events."""
    run(_describe(what, namespace, control_plane))


async def _describe(what: tuple[str, ...], namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        catalog = await client.catalog()
        for number, (kind, name) in enumerate(named_objects(catalog, what)):
            obj = await client.get(kind, name, namespace_of(kind, namespace))
            if number:
                result("\n---\n")
            family = [obj, *await parts_of(client, kind, obj)]
            events = [event for member in family for event in await _events(client, member)]
            for line in _lines(obj, await _reports(client, kind, family), events):
                result(line)


def _lines(obj: JsonObject, reports: Sequence[JsonObject], events: Sequence[JsonObject]) -> Iterator[str]:
    yield from _head(obj)
    body = {key: obj[key] for key in obj if key not in ("apiVersion", "kind", "metadata", "status")}
    for title, part in {**body, **_short_spec(obj.get("spec"))}.items():
        yield from _section(title, part, limit=SPEC_LINES)
    status = dict(obj.get("status") or {})
    conditions = status.pop("conditions", None) or []
    if conditions:
        yield "Conditions:"
        rows = [
            [c.get("type", ""), c.get("status", ""), c.get("reason", ""), _age(c.get("lastTransitionTime")),
             c.get("message", "")]
            for c in conditions
        ]  # fmt: skip
        yield from _indented(columns(["Type", "Status", "Reason", "Since", "Message"], rows))
    if status.get("inventory"):
        status["inventory"] = [_item(item) for item in status["inventory"]]
    yield from _section("status", status, limit=SPEC_LINES)
    for report in reports:
        yield from _report(report)
    yield from _event_lines(events)


def _item(item: JsonObject) -> str:
    """One object of an inventory in a line: ``Deployment/team-a/web``."""
    return "/".join(part for part in (item["kind"], item.get("namespace"), item["name"]) if part)


def _short_spec(spec: JsonObject | None) -> JsonObject:
    """The spec with the names of its manifests in place of their texts."""
    manifests = (spec or {}).get("manifests")
    if not spec or not isinstance(manifests, list):
        return {}
    names = [
        f"{item.get('kind')}/{(item.get('metadata') or {}).get('name')}" for item in manifests if isinstance(item, dict)
    ]
    return {"spec": {**spec, "manifests": names}} if len(names) == len(manifests) else {}


def _head(obj: JsonObject) -> Iterator[str]:
    metadata = obj["metadata"]
    yield f"Name:         {metadata['name']}"
    if metadata.get("namespace"):
        yield f"Namespace:    {metadata['namespace']}"
    yield f"Kind:         {obj['kind']} ({obj['apiVersion']})"
    for title, field in (("Labels", "labels"), ("Annotations", "annotations")):
        pairs = [f"{key}={value}" for key, value in sorted((metadata.get(field) or {}).items())]
        if pairs:
            yield f"{title + ':':<13} {', '.join(pairs)}"
    yield f"Created:      {metadata.get('creationTimestamp', '')} ({_age(metadata.get('creationTimestamp'))} ago)"
    if metadata.get("deletionTimestamp"):
        yield f"Deleting:     since {metadata['deletionTimestamp']}"
    owners = [f"{owner.get('kind')}/{owner.get('name')}" for owner in metadata.get("ownerReferences") or ()]
    if owners:
        yield f"Owned by:     {', '.join(owners)}"


def _report(report: JsonObject) -> Iterator[str]:
    spec = report["spec"]
    summary = f"{spec.get('health', 'Unknown')}" + (f": {spec['message']}" if spec.get("message") else "")
    yield f"Seen on {spec['runtimeRef']['name']} ({summary}):"
    rows = [
        [f"{seen['kind']}/{seen['name']}", seen.get("namespace") or "", seen.get("health", ""), seen.get("message", "")]
        for seen in spec.get("resources") or ()
    ]
    yield from _indented(columns(["Resource", "Namespace", "Health", "Message"], rows) if rows else ["nothing yet"])
    seen_events = spec.get("events") or ()
    if seen_events:
        yield f"Events on {spec['runtimeRef']['name']}:"
        rows = [
            [_age(event.get("lastSeen")), event.get("type", ""), event.get("reason", ""), event.get("object", ""),
             _counted(event)]
            for event in seen_events
        ]  # fmt: skip
        yield from _indented(columns(["Last seen", "Type", "Reason", "Object", "Message"], rows))


def _event_lines(events: Sequence[JsonObject]) -> Iterator[str]:
    if not events:
        yield "Events:       none in the last hour"
        return
    yield "Events:"
    rows = [
        [_age(event.get("lastTimestamp")), event.get("type", ""), event.get("reason", ""), _about(event),
         _counted(event)]
        for event in sorted(events, key=lambda event: event.get("lastTimestamp") or "")
    ]  # fmt: skip
    yield from _indented(columns(["Last seen", "Type", "Reason", "Object", "Message"], rows))


def _about(event: JsonObject) -> str:
    about = event.get("involvedObject") or {}
    return f"{about.get('kind', '')}/{about.get('name', '')}"


async def _events(client: Client, obj: JsonObject) -> Sequence[JsonObject]:
    """The events about the object; those of a cluster-scoped one may lie in any namespace."""
    selector = f"involvedObject.uid={obj['metadata']['uid']}"
    try:
        return (await client.list(kind_of(Event), obj["metadata"].get("namespace"), field_selector=selector)).items
    except ApiError:
        return []  # who may see the object may not always see events


async def _reports(client: Client, kind: Kind, family: Sequence[JsonObject]) -> Sequence[JsonObject]:
    """What agents see of a WorkloadInstance, or of the one that belongs to a Workload (it has its name)."""
    instance = kind_of(WorkloadInstance)
    if kind.kind not in ("Workload", instance.kind) or kind.group != instance.group:
        return []
    metadata = family[0]["metadata"]
    key = Key(instance.resource, metadata["namespace"], metadata["name"])
    listed = await client.list(kind_of(WorkloadReport), metadata["namespace"], referring_to=key)
    uids = {member["metadata"]["uid"] for member in family}
    return [report for report in listed.items if report["spec"]["instanceUid"] in uids]


def _section(title: str, value: object, *, limit: int) -> Iterator[str]:
    """A field as YAML below its name; long ones are cut, certificates told in words."""
    if value in (None, {}, []):
        return
    lines = as_yaml(with_short_certificates(value)).splitlines()
    shown = lines[:limit]
    if len(lines) > limit:
        shown.append(f"... {len(lines) - limit} more lines: see them with -o yaml of `tptctl get`")
    heading = f"{title[0].upper()}{title[1:]}:"
    if isinstance(value, dict | list):
        yield heading
        yield from _indented(shown)
    else:
        yield f"{heading:<13} {shown[0]}"


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _counted(event: JsonObject) -> str:
    count = event.get("count") or 1
    return f"{event.get('message', '')}{f' (x{count})' if count > 1 else ''}"


def _age(time: str | None) -> str:
    moment = parse_time(time) if time else None
    return age_since(moment) if moment is not None else ""
