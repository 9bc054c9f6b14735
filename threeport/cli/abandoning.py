"""``--abandon``: what has been put into clusters stays there, and nobody looks after it any more. First it is shown."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

import click

from threeport.cli.console import note, warning
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.instances import INSTANCE, WORKLOAD
from threeport.cli.ordering import Target
from threeport.client import Client
from threeport.common.errors import NotFound
from threeport.common.types import FrozenJson
from threeport.resources.annotations import ABANDON, WAKE
from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeInstance
from threeport.resources.model import kind_of

RUNTIME: Final[Kind] = kind_of(KubernetesRuntimeInstance)


class Left(NamedTuple):
    """Something that would be let go, and what it would leave behind."""

    kind: Kind
    name: str
    namespace: str | None
    runtime: str
    objects: Sequence[str]

    @property
    def sentence(self) -> str:
        """What stays where, for the end."""
        if self.kind.resource == RUNTIME.resource:
            return f"what Threeport has installed in the cluster of {self.name} stays there"
        return f"{len(self.objects)} objects stay in runtime {self.runtime or '(none)'}"


async def what_would_be_left(client: Client, targets: Sequence[Target]) -> list[Left]:
    """What the objects, as far as they exist, would leave behind. Raises `CliError` for kinds that leave nothing."""
    found = []
    for target in targets:
        kind = INSTANCE if target.kind.resource == WORKLOAD.resource else target.kind
        if kind.resource not in (INSTANCE.resource, RUNTIME.resource):
            raise CliError(
                f"{target} has nothing in a cluster to abandon: --abandon is for workloads, their instances and "
                "runtimes. Delete it without.",
                ExitCode.USAGE,
            )
        obj = await client.find(kind, target.name, target.namespace)
        if obj is not None:
            found.append(_left(kind, obj))
    return found


def confirm(left: Sequence[Left], *, assumed: bool) -> None:
    """Shows what stays, and asks. Raises `CliError` for a no, and where nobody can be asked."""
    for one in left:
        warning(f"{one.kind.singular}/{one.name} is let go, and {one.sentence}:" if one.objects else one.sentence)
        for text in one.objects:
            note(f"  {text}")
    note("Nobody will look after it any more. Do so for a cluster that is gone, or to let it run without Threeport.")
    if assumed:
        return
    if not sys.stdin.isatty():
        raise CliError("Nobody is there to ask: say --yes to abandon it.", ExitCode.USAGE)
    if not click.confirm("Abandon it?", err=True):
        raise CliError("Nothing was abandoned, nor deleted.", ExitCode.ERROR)


async def mark(client: Client, left: Sequence[Left]) -> None:
    """Tells the controllers, also those that have been trying for a while: they look at it at once."""
    annotations = {ABANDON: "true", WAKE: f"abandon/{uuid.uuid4().hex[:8]}"}
    for one in left:
        try:
            await client.patch(one.kind, one.name, one.namespace, {"metadata": {"annotations": annotations}})
        except NotFound:
            continue


async def take_back(client: Client, left: Sequence[Left]) -> None:
    """Takes the mark from what is not being deleted after all: a later deletion would leave things behind unasked."""
    for one in left:
        kinds = [one.kind, WORKLOAD] if one.kind.resource == INSTANCE.resource else [one.kind]
        found = [obj for kind in kinds if (obj := await client.find(kind, one.name, one.namespace)) is not None]
        if found and not any(obj["metadata"].get("deletionTimestamp") for obj in found):
            await client.patch(one.kind, one.name, one.namespace, {"metadata": {"annotations": {ABANDON: None}}})


def _left(kind: Kind, obj: FrozenJson) -> Left:
    metadata, status = obj["metadata"], obj.get("status") or {}
    objects = [
        f"{item['kind']} {item['namespace'] + '/' if item.get('namespace') else ''}{item['name']}"
        for item in status.get("inventory") or ()
    ]
    return Left(kind, metadata["name"], metadata.get("namespace"), status.get("runtime") or "", objects)
