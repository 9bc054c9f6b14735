"""``tptctl rollout``: how far a change has come, which revisions there are, and the way back to one of them."""

from __future__ import annotations

import asyncio

import click

from threeport.cli import completing
from threeport.cli.console import Progress, age_since, columns, note, progress, result
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.rollouts import (
    DEFINITION,
    INSTANCE,
    REVISION,
    WORKLOAD,
    Rollout,
    chosen,
    find_rollout,
    is_rolled_out,
    number_of,
    revisions_of,
    state_of,
)
from threeport.cli.session import connected, control_plane_option, named_objects, namespace_option, run
from threeport.cli.times import Duration, parse_time
from threeport.client import Client
from threeport.resources.kind import Kind

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
    """Say which revision each instance runs, and wait until it is the right one and Ready."""
    run(_status(what, timeout if watch else 0.0, namespace, control_plane))


@command.command(short_help="List the revisions that are kept, and who runs them.")
@click.argument("what", nargs=-1, required=True, metavar="KIND/NAME", shell_complete=completing.objects)
@namespace_option
@control_plane_option
def history(what: tuple[str, ...], namespace: str, control_plane: str | None) -> None:
    """List the revisions that are kept, and who runs them."""
    run(_history(what, namespace, control_plane))


@command.command(short_help="Go back to an earlier revision.")
@click.argument("what", nargs=-1, required=True, metavar="KIND/NAME", shell_complete=completing.objects)
@click.option("--to-revision", type=click.IntRange(min=1), help="The revision to go back to; the last that differs.")
@namespace_option
@control_plane_option
def undo(what: tuple[str, ...], to_revision: int | None, namespace: str, control_plane: str | None) -> None:
    """Go back to an earlier revision: its manifests become the newest revision."""
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
        if seconds and not _is_complete(rollout):
            raise CliError(f"{rollout.title} is not rolled out after {seconds:.0f} s.", ExitCode.TIMEOUT)


async def _until_rolled_out(
    client: Client, what: tuple[str, ...], namespace: str, seconds: float, say: Progress
) -> Rollout:
    """Looks again and again, since the definition changes too. Returns the last look."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        rollout = await _find(client, what, namespace)
        if _is_complete(rollout) or asyncio.get_running_loop().time() > deadline:
            return rollout
        late = [one for one in rollout.instances if not is_rolled_out(rollout, one)]
        say(state_of(rollout, late[0]) if late else f"{rollout.title} has just been changed")
        await asyncio.sleep(LOOK_AGAIN)


def _is_complete(rollout: Rollout) -> bool:
    """Whether all instances are there; a Workload passes its change on to its definition first."""
    if rollout.kind.resource == WORKLOAD.resource:
        metadata, status = rollout.obj["metadata"], rollout.obj.get("status") or {}
        if status.get("observedGeneration") != metadata.get("generation"):
            return False
    return all(is_rolled_out(rollout, one) for one in rollout.instances)


async def _history(what: tuple[str, ...], namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        rollout = await _find(client, what, namespace)
        rows = []
        for revision in await revisions_of(client, rollout.definition):
            number, made = number_of(revision), parse_time(revision["metadata"].get("creationTimestamp") or "")
            users = [
                one["metadata"]["name"]
                for one in rollout.instances
                if (one.get("status") or {}).get("definitionGeneration") == number
            ]
            kinds = [f"{one['kind']}/{one['metadata']['name']}" for one in revision["spec"]["manifests"]]
            more = f", and {len(kinds) - 4} more" if len(kinds) > 4 else ""
            age = age_since(made) if made is not None else ""
            rows.append([str(number), age, ", ".join(users) or "-", ", ".join(kinds[:4]) + more])
        for line in columns(["Revision", "Age", "Instances", "Holds"], rows):
            result(line)


async def _undo(what: tuple[str, ...], wanted: int | None, namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        rollout = await _find(client, what, namespace)
        revisions = await revisions_of(client, rollout.definition)
        if rollout.kind.resource == INSTANCE.resource:
            await _undo_instance(client, rollout, wanted)
            return
        goal = chosen(revisions, rollout.definition, wanted)
        if goal["spec"]["manifests"] == rollout.obj["spec"]["manifests"]:
            result(f"{rollout.title} unchanged: it holds what revision {number_of(goal)} holds")
            return
        metadata = goal["metadata"]
        clear = await client.get(REVISION, metadata["name"], metadata["namespace"], reveal=True)
        kind, name = _to_change(rollout)
        change = {"spec": {"manifests": clear["spec"]["manifests"]}}
        await client.patch(kind, name, rollout.definition["metadata"]["namespace"], change)
        result(f"{kind.singular}/{name} went back to revision {number_of(goal)}")
        note(f"Follow it with `tptctl rollout status {kind.singular}/{name}`.")


async def _undo_instance(client: Client, rollout: Rollout, wanted: int | None) -> None:
    """An instance goes back alone only where a person advances it: else it would be advanced again at once."""
    metadata = rollout.obj["metadata"]
    kind, name = _to_change(rollout)
    if not rollout.is_manual:
        raise CliError(
            f"{rollout.title} follows the newest revision; undo `{kind.singular}/{name}` for all instances, or set "
            f"spec.rollout.strategy of its definition to Manual."
        )
    running = (rollout.obj.get("status") or {}).get("definitionGeneration") or rollout.newest
    kept = await revisions_of(client, rollout.definition)
    current = next((one for one in kept if number_of(one) == running), rollout.definition)
    earlier = kept if wanted is not None else [one for one in kept if number_of(one) < running]
    goal = chosen(earlier, current, wanted)
    change = {"spec": {"definitionRevision": number_of(goal)}}
    await client.patch(INSTANCE, metadata["name"], metadata["namespace"], change)
    result(f"{rollout.title} went back to revision {number_of(goal)}")


def _to_change(rollout: Rollout) -> tuple[Kind, str]:
    """Whose manifests to change: those of the Workload that owns the definition, if one does."""
    metadata = rollout.definition["metadata"]
    owners = metadata.get("ownerReferences") or ()
    owner = next((one["name"] for one in owners if one.get("kind") == WORKLOAD.kind), None)
    return (WORKLOAD, str(owner)) if owner else (DEFINITION, str(metadata["name"]))
