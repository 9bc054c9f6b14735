"""``tptctl events``: what happened lately, in the Threeport API and in the clusters, in the order of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

import click

from threeport.cli import completing
from threeport.cli.console import Columns, note, result
from threeport.cli.happenings import Happening, Shown, header, merged, of_event, of_report
from threeport.cli.instances import parts_of
from threeport.cli.session import (
    connected,
    control_plane_option,
    named_objects,
    namespace_of,
    namespace_option,
    run,
    until_interrupted,
)
from threeport.client import Client
from threeport.common.types import FrozenJson
from threeport.resources.core import Event
from threeport.resources.kind import Kind
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport

EVENT = kind_of(Event)
REPORT = kind_of(WorkloadReport)


@click.command()
@click.argument("what", nargs=-1, metavar="[KIND NAME | KIND/NAME]", shell_complete=completing.objects)
@namespace_option
@click.option("--all-namespaces", "-A", is_flag=True, help="Of all namespaces.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@control_plane_option
def command(
    what: tuple[str, ...], namespace: str, all_namespaces: bool, follow: bool, control_plane: str | None
) -> None:
    """Show what happened lately, the newest last: in the API, and in the clusters to what workloads consist of.

    With KIND/NAME only what is about that object; for a workload also what is about its definition, its instance and
    its objects in the cluster. Repeats are counted. Events are kept for an hour.
    """
    with until_interrupted(endless=follow):
        run(_events(what, None if all_namespaces else namespace, follow, control_plane))


async def _events(what: tuple[str, ...], namespace: str | None, follow: bool, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        if what:
            named = named_objects(await client.catalog(), what)
            if len(named) != 1:
                raise click.UsageError("Say one object, or none for the events of all.")
            if namespace is None and named[0][0].namespaced:
                raise click.UsageError("An object lies in one namespace: give it with -n instead of -A.")
            kind, name = named[0]
            uids = await _family(client, kind, name, namespace)
            view = _View(client, namespace if kind.namespaced else None, uids)
        else:
            view = _View(client, namespace, None)
        await view.show()
        if follow:
            await view.follow()


async def _family(client: Client, kind: Kind, name: str, namespace: str | None) -> frozenset[str]:
    """The uid of the object, and of those that a Workload consists of. Raises `NotFound`."""
    obj = await client.get(kind, name, namespace_of(kind, namespace) if namespace else None)
    return frozenset(member["metadata"]["uid"] for member in (obj, *await parts_of(client, kind, obj)))


class _View:
    """The events of a namespace (None: of all), or those about the objects of some uids."""

    def __init__(self, client: Client, namespace: str | None, uids: frozenset[str] | None) -> None:
        self._client = client
        self._namespace = namespace
        self._uids = uids
        self._shown = Shown()
        self._table = Columns(header(with_namespace=namespace is None))

    async def show(self) -> None:
        """What there is now."""
        events = (await self._client.list(EVENT, self._namespace)).items
        reports = (await self._client.list(REPORT, self._namespace)).items
        happenings: list[Happening] = []
        for objects, read in ((events, self._of_event), (reports, self._of_report)):
            for obj in objects:
                told = read(obj)
                happenings += told
                self._shown.news(obj["metadata"]["uid"], told)
        if not happenings:
            place = f" in namespace {self._namespace}" if self._namespace and self._uids is None else ""
            note(f"Nothing happened{place} in the last hour.")
            return
        self._print(merged(happenings))

    async def follow(self) -> None:
        """What happens from now on, without end."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(EVENT, self._of_event))
                group.create_task(self._watch(REPORT, self._of_report))
        except ExceptionGroup as error:
            raise error.exceptions[0] from None  # such as that nobody reads any more

    async def _watch(self, kind: Kind, read: Callable[[FrozenJson], Sequence[Happening]]) -> None:
        async with aclosing(self._client.watch(kind, self._namespace)) as changes:
            async for change in changes:
                teller = change.object["metadata"]["uid"]
                if change.type == "DELETED":
                    self._shown.forget(teller)
                else:
                    self._print(self._shown.news(teller, read(change.object)))

    def _print(self, happenings: Sequence[Happening]) -> None:
        rows = [one.row(with_namespace=self._namespace is None) for one in happenings]
        for line in self._table.lines(rows) if rows else ():
            result(line)

    def _of_event(self, event: FrozenJson) -> Sequence[Happening]:
        wanted = self._uids is None or (event.get("involvedObject") or {}).get("uid") in self._uids
        return [of_event(event)] if wanted else []

    def _of_report(self, report: FrozenJson) -> Sequence[Happening]:
        wanted = self._uids is None or report["spec"].get("instanceUid") in self._uids
        return list(of_report(report)) if wanted else []
