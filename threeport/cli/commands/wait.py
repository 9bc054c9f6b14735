"""``tptctl wait``: until objects are ready, or gone: some that are named, or all that there are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import click

from threeport.cli.arguments import check_given, objects_or_files
from threeport.cli.console import note, progress, result
from threeport.cli.documents import Document, read_documents
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.following import Following
from threeport.cli.ordering import Target, in_namespace
from threeport.cli.session import (
    connected,
    control_plane_option,
    kind_called,
    named_objects,
    namespace_of,
    namespace_option,
    run,
)
from threeport.cli.tally import FEW, Tally, listed
from threeport.cli.targets import targets_of
from threeport.cli.times import Duration
from threeport.cli.waiting import ConditionWanted, until_condition, until_gone
from threeport.client import Client
from threeport.resources.kind import Catalog, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Objects:
    """Which objects are meant: words, the documents of files, or all of a kind that a selector chooses."""

    what: Sequence[str]
    documents: Sequence[Document]
    namespace: str
    selector: str | None
    """Empty for all of a kind; None where they are named."""


@click.command()
@objects_or_files("Wait for the objects of these files.")
@click.option("--all", "all_objects", is_flag=True, help="With KIND alone: all objects of it that there are now.")
@click.option("--selector", "-l", default="", metavar="SELECTOR", help="With KIND alone: those with these labels.")
@click.option(
    "--for", "goal", default="condition=Ready", show_default=True, metavar="condition=TYPE[=STATUS]|delete",
    help="What to wait for.",
)  # fmt: skip
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="How long, as 90s or 5m; 0: a look.")
@namespace_option
@control_plane_option
def command(
    what: tuple[str, ...],
    sources: tuple[str, ...],
    all_objects: bool,
    selector: str,
    goal: str,
    timeout: float,  # noqa: ASYNC109
    namespace: str,
    control_plane: str | None,
) -> None:
    """Wait until objects have a condition, or are gone."""
    check_given(what, sources)
    by_kind = all_objects or bool(selector)
    if by_kind and (len(what) != 1 or "/" in what[0]):
        raise click.UsageError("--all and -l choose among all objects of a KIND: say that, and no names or files.")
    wanted = _parse_goal(goal)
    documents = read_documents(sources) if sources else []
    objects = _Objects(what=what, documents=documents, namespace=namespace, selector=selector if by_kind else None)
    run(_wait(objects, wanted, timeout, control_plane))


def _parse_goal(goal: str) -> ConditionWanted | None:
    """What `--for` means; None is deletion."""
    if goal == "delete":
        return None
    kind, _, text = goal.partition("=")
    if kind != "condition" or not text:
        raise click.BadParameter(
            f"{goal!r}: write condition=Ready, condition=Ready=False, or delete", param_hint="--for"
        )
    return ConditionWanted.parse(text)


async def _wait(objects: _Objects, wanted: ConditionWanted | None, seconds: float, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        targets = await _targets(client, objects)
        if not targets and wanted is None:
            return
        if not targets:
            raise CliError("There is nothing to wait for.", ExitCode.NOT_FOUND)
        goal = f"{wanted.type}={wanted.status}" if wanted else "gone"
        with progress(f"Waiting for {listed(targets)}") as say:
            tally = Tally(say, len(targets), goal)
            async with Following(client, targets) as following:
                waits = [_wait_for(following, target, wanted, seconds, tally) for target in targets]
                late = [error for error in await asyncio.gather(*waits) if error]
    if late:
        more = [f"{len(late) - FEW} more are late."] if len(late) > FEW else []
        raise CliError("\n".join([*map(str, late[:FEW]), *more]), ExitCode.TIMEOUT)


async def _targets(client: Client, objects: _Objects) -> list[Target]:
    catalog = await client.catalog()
    if objects.documents:
        return targets_of(objects.documents, catalog, objects.namespace)
    if objects.selector is None:
        return _named(catalog, tuple(objects.what), objects.namespace)
    kind = kind_called(catalog, objects.what[0])
    return await _all_of(client, kind, namespace_of(kind, objects.namespace), objects.selector)


async def _all_of(client: Client, kind: Kind, place: str | None, selector: str) -> list[Target]:
    found = await client.list(kind, place, label_selector=selector)
    if not found.items:
        labels = f" with the labels {selector}" if selector else ""
        note(f"No {kind.plural}{labels} found{f' in namespace {place}' if place else ''}.")
    return [Target(kind, obj) for obj in found.items]


async def _wait_for(
    following: Following, target: Target, wanted: ConditionWanted | None, seconds: float, tally: Tally
) -> CliError | None:
    """Waits for one object, and says so when it is there. Returns that it is late: others may be, too."""
    say = tally.say_of(target)
    try:
        if wanted is not None:
            await until_condition(following, target, wanted, seconds=seconds, say=say)
        else:
            await until_gone(following, target, uid=None, seconds=seconds, say=say)
    except CliError as late:
        return late
    tally.is_done(target)
    result(f"{target} {'condition met' if wanted else 'deleted'}")
    return None


def _named(catalog: Catalog, what: tuple[str, ...], namespace: str) -> list[Target]:
    return [
        Target(kind, in_namespace({"metadata": {"name": name}}, kind, namespace))
        for kind, name in named_objects(catalog, what)
    ]
