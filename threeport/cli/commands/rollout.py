"""``tptctl rollout``: how far a change has come, which revisions there are, and the way back to one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import click

from threeport.cli import completing
from threeport.cli.console import Progress, age_since, columns, note, progress, result
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.revision_changes import NOTHING, in_brief, in_full
from threeport.cli.rollouts import (
    INSTANCE,
    REVISION,
    WORKLOAD,
    Rollout,
    cause_of,
    chosen,
    find_rollout,
    former_of,
    is_observed,
    is_rolled_out,
    number_of,
    refusals_of,
    revisions_of,
    state_of,
)
from threeport.cli.session import connected, control_plane_option, named_objects, namespace_option, run
from threeport.cli.times import Duration, parse_time
from threeport.cli.yaml_output import as_yaml
from threeport.client import Client
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.annotations import CHANGE_CAUSE

LOOK_AGAIN = 0.5
"""Seconds between looks at instances that are not where they have to be."""


@click.group()
def command() -> None:
    """Follow a change to all instances, see earlier revisions, go back to one."""


@command.command(short_help="Follow a change until all instances are there.")
@click.argument("what", nargs=-1, required=True, metavar="KIND/NAME", shell_complete=completing.objects)
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="How long to wait, as 90s or 5m.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Wait until all instances are there.")
@namespace_option
@control_plane_option
def status(
    what: tuple[str, ...],
    timeout: float,  # noqa: ASYNC109
    watch: bool,
    namespace: str,
    control_plane: str | None,
) -> None:
    """Say which revision each instance runs, and wait until it is the right one and Ready.

    Ends at once, with exit code 1, when only a person can help: a field that cannot change, an object of others.
    """
    run(_status(what, timeout if watch else 0.0, namespace, control_plane))


@command.command(short_help="List the revisions that are kept, who runs them, and what each changed.")
@click.argument("what", nargs=-1, required=True, metavar="KIND/NAME", shell_complete=completing.objects)
@click.option("--revision", type=click.IntRange(min=1), help="Show this one in full.")
@namespace_option
@control_plane_option
def history(what: tuple[str, ...], revision: int | None, namespace: str, control_plane: str | None) -> None:
    """List the revisions that are kept, who runs them, and what each changed.

    Why it was changed is shown if the annotation kubernetes.io/change-cause of the workload says so.
    """
    run(_history(what, revision, namespace, control_plane))


@command.command(short_help="Take an instance to a newer revision, where a person decides.")
@click.argument("what", nargs=-1, required=True, metavar="workloadinstance/NAME", shell_complete=completing.objects)
@click.option("--to-revision", type=click.IntRange(min=1), help="The revision to run; the newest.")
@namespace_option
@control_plane_option
def advance(what: tuple[str, ...], to_revision: int | None, namespace: str, control_plane: str | None) -> None:
    """Take an instance to the newest revision, or to the one that is named, where the rollout is Manual."""
    run(_advance(what, to_revision, namespace, control_plane))


@command.command(short_help="Go back to an earlier revision.")
@click.argument("what", nargs=-1, required=True, metavar="KIND/NAME", shell_complete=completing.objects)
@click.option("--to-revision", type=click.IntRange(min=1), help="The revision to go back to; the last that differs.")
@namespace_option
@control_plane_option
def undo(what: tuple[str, ...], to_revision: int | None, namespace: str, control_plane: str | None) -> None:
    """Go back to an earlier revision: its manifests become the newest revision.

    An instance whose rollout is Manual is told to run that revision.
    """
    run(_undo(what, to_revision, namespace, control_plane))


async def _find(client: Client, what: tuple[str, ...], namespace: str) -> Rollout:
    named = named_objects(await client.catalog(), what)
    if len(named) != 1:
        raise click.UsageError("Say which object, one at a time: KIND/NAME.")
    return await find_rollout(client, *named[0], namespace)


async def _status(what: tuple[str, ...], seconds: float, namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        rollout = await _find(client, what, namespace)
        if seconds:
            with progress(f"Waiting for {rollout.title}") as say:
                rollout = await _until_rolled_out(client, what, namespace, seconds, say)
        for instance in rollout.instances:
            result(state_of(rollout, instance))
        if not rollout.instances:
            result(f"{rollout.title} has no instances")
        if seconds and (refusals := refusals_of(rollout)):
            raise CliError("\n".join([*refusals, _way_out(rollout)]))
        if seconds and not _is_complete(rollout):
            raise CliError(f"{rollout.title} is not rolled out after {seconds:.0f} s.", ExitCode.TIMEOUT)


async def _until_rolled_out(
    client: Client, what: tuple[str, ...], namespace: str, seconds: float, say: Progress
) -> Rollout:
    """Looks again and again, since the definition changes too, until there is nothing to wait for. Returns the last
    look."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        rollout = await _find(client, what, namespace)
        if _is_complete(rollout) or refusals_of(rollout) or asyncio.get_running_loop().time() > deadline:
            return rollout
        late = [one for one in rollout.instances if not is_rolled_out(rollout, one)]
        say(state_of(rollout, late[0]) if late else f"{rollout.title} has just been changed")
        await asyncio.sleep(LOOK_AGAIN)


def _is_complete(rollout: Rollout) -> bool:
    """Whether all instances are there; a Workload passes its change on to its definition first."""
    if rollout.kind.resource == WORKLOAD.resource and not is_observed(rollout.obj):
        return False
    return all(is_rolled_out(rollout, one) for one in rollout.instances)


def _way_out(rollout: Rollout) -> str:
    kind, name = rollout.to_change
    undone, then = f"{kind.singular}/{name}", ""
    if rollout.is_manual:
        names = [one["metadata"]["name"] for one in rollout.instances if not is_rolled_out(rollout, one)]
        instance = names[0] if len(names) == 1 else "NAME"
        undone, then = f"{INSTANCE.singular}/{instance}", f" and then {_taking_it_there(instance)}"
    return (
        f"It is not waited for. Mend it and apply it again (`tptctl diff` tries it beforehand){then}, or go back with "
        f"`tptctl rollout undo {undone}`."
    )


def _taking_it_there(instance: str) -> str:
    return f"`tptctl rollout advance {INSTANCE.singular}/{instance}`"


async def _history(what: tuple[str, ...], wanted: int | None, namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        rollout = await _find(client, what, namespace)
        revisions = await revisions_of(client, rollout.definition)
        formers = dict(zip(map(number_of, revisions[1:]), revisions, strict=False))
        if wanted is not None:
            revision = chosen(revisions, rollout.definition, wanted)
            for line in _in_full(rollout, formers.get(wanted), revision):
                result(line)
            return
        with_cause = any(map(cause_of, revisions))
        rows = [
            [
                str(number := number_of(revision)),
                _age(revision),
                _users(rollout, number) or "-",
                *([cause_of(revision) or "-"] if with_cause else []),
                in_brief(formers.get(number), revision),
            ]
            for revision in revisions
        ]
        for line in columns(["Revision", "Age", "Instances", *(["Cause"] if with_cause else []), "Changed"], rows):
            result(line)


def _in_full(rollout: Rollout, former: FrozenJson | None, revision: FrozenJson) -> Iterator[str]:
    number = number_of(revision)
    yield f"Revision {number} of {rollout.title}, {_age(revision)} old, run by: {_users(rollout, number) or 'nobody'}"
    if cause := cause_of(revision):
        yield f"Cause: {cause}"
    if former is not None:
        yield f"Changed since revision {number_of(former)}:"
        yield from in_full(former, revision) if in_brief(former, revision) != NOTHING else ["  no manifest"]
    yield "Manifests:"
    for manifest in revision["spec"]["manifests"]:
        yield "---"
        yield as_yaml(manifest).rstrip("\n")


def _age(revision: FrozenJson) -> str:
    made = parse_time(revision["metadata"].get("creationTimestamp") or "")
    return age_since(made) if made is not None else ""


def _users(rollout: Rollout, number: int) -> str:
    """The instances that run a revision."""
    running = [one for one in rollout.instances if (one.get("status") or {}).get("definitionGeneration") == number]
    return ", ".join(one["metadata"]["name"] for one in running)


async def _advance(what: tuple[str, ...], wanted: int | None, namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        rollout = await _find(client, what, namespace)
        if rollout.kind.resource != INSTANCE.resource:
            raise CliError(f"Name a {INSTANCE.singular}: each is advanced by itself.", ExitCode.USAGE)
        _insist_on_manual(rollout, "there is nothing to advance")
        if wanted is not None:
            chosen(await revisions_of(client, rollout.definition), rollout.definition, wanted)
        await _take_to(client, rollout, wanted or rollout.newest, "is taken to")


async def _undo(what: tuple[str, ...], wanted: int | None, namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        rollout = await _find(client, what, namespace)
        revisions = await revisions_of(client, rollout.definition)
        if rollout.kind.resource == INSTANCE.resource:
            await _undo_instance(client, rollout, wanted)
            return
        goal = chosen(revisions, rollout.obj, wanted)
        if goal["spec"]["manifests"] == rollout.obj["spec"]["manifests"]:
            result(f"{rollout.title} unchanged: it holds what revision {number_of(goal)} holds")
            return
        metadata = goal["metadata"]
        clear = await client.get(REVISION, metadata["name"], metadata["namespace"], reveal=True)
        kind, name = rollout.to_change
        change: JsonObject = {"spec": {"manifests": clear["spec"]["manifests"]}}
        if cause_of(goal) != cause_of(rollout.obj):
            change["metadata"] = {"annotations": {CHANGE_CAUSE: cause_of(goal) or None}}
        await client.patch(kind, name, rollout.definition["metadata"]["namespace"], change)
        result(f"{kind.singular}/{name} went back to revision {number_of(goal)}")
        if rollout.is_manual:
            note(f"Its rollout is Manual: {_taking_it_there('NAME')} takes an instance there.")
        else:
            note(f"Follow it with `tptctl rollout status {kind.singular}/{name}`.")


async def _undo_instance(client: Client, rollout: Rollout, wanted: int | None) -> None:
    """An instance goes back alone only where a person advances it: else it would be advanced again at once."""
    kind, name = rollout.to_change
    _insist_on_manual(rollout, f"undo `{kind.singular}/{name}` for all instances")
    goal = former_of(rollout, rollout.obj, await revisions_of(client, rollout.definition), wanted)
    await _take_to(client, rollout, number_of(goal), "went back to")


def _insist_on_manual(rollout: Rollout, instead: str) -> None:
    if not rollout.is_manual:
        raise CliError(
            f"{rollout.title} follows the newest revision by itself; {instead}, or set spec.rollout.strategy of its "
            f"definition to Manual."
        )


async def _take_to(client: Client, rollout: Rollout, revision: int, verb: str) -> None:
    """Tells an instance which revision to run."""
    metadata, spec = rollout.obj["metadata"], rollout.obj["spec"]
    if spec.get("definitionRevision") == revision:
        result(f"{rollout.title} unchanged: it has been told to run revision {revision}")
        return
    await client.patch(INSTANCE, metadata["name"], metadata["namespace"], {"spec": {"definitionRevision": revision}})
    result(f"{rollout.title} {verb} revision {revision}")
    note(f"Follow it with `tptctl rollout status {rollout.title}`.")
