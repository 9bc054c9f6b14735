"""The WorkloadInstance that a person means, and what the API shows of it in its cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

from threeport.cli.errors import CliError
from threeport.cli.session import named_objects
from threeport.client import Client
from threeport.client.objects import decode_json
from threeport.client.paths import object_path
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind
from threeport.resources.model import kind_of
from threeport.resources.workload import Workload, WorkloadDefinition, WorkloadInstance

INSTANCE: Final = kind_of(WorkloadInstance)
DEFINITION: Final = kind_of(WorkloadDefinition)
WORKLOAD: Final = kind_of(Workload)


async def instance_called(client: Client, word: str) -> str:
    """The name of the instance behind ``workload/NAME`` (it has the same), or ``workloadinstance/NAME``."""
    if "/" not in word:
        raise click.UsageError("Say which workload: workload/NAME, or workloadinstance/NAME.")
    ((kind, name),) = named_objects(await client.catalog(), (word,))
    if kind.resource not in (WORKLOAD.resource, INSTANCE.resource):
        raise CliError(f"{kind.singular}/{name} has no pods: name a workload/NAME or a workloadinstance/NAME.")
    return name


async def parts_of(client: Client, kind: Kind, obj: FrozenJson) -> list[JsonObject]:
    """The definition and the instance that a Workload consists of; nothing for other kinds."""
    if kind.resource != WORKLOAD.resource:
        return []
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    found = [await client.find(part, name, namespace) for part in (DEFINITION, INSTANCE)]
    return [part for part in found if part is not None]


async def view(
    client: Client, name: str, namespace: str, subresource: str, query: Mapping[str, str] | None = None
) -> JsonObject:
    """What a subresource of the instance says. Asked once: a cluster that is away now is away a second later too."""
    path = object_path(INSTANCE, name, namespace, subresource)
    async with client.transport.stream(path, query or {}) as content:
        return decode_json(await content.read())
