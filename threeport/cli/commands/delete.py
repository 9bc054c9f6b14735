"""``tptctl delete``: what refers to others goes first, and the command waits until all is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click

from threeport.cli.abandoning import confirm, mark, take_back, what_would_be_left
from threeport.cli.arguments import check_given, objects_or_files
from threeport.cli.console import note, progress, result, warning
from threeport.cli.documents import Document, read_documents
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.following import Following
from threeport.cli.ordering import Target, in_namespace, levels
from threeport.cli.session import (
    DEFAULT_NAMESPACE,
    connected,
    control_plane_option,
    named_objects,
    namespace_option,
    run,
)
from threeport.cli.tally import Tally, listed
from threeport.cli.targets import targets_of
from threeport.cli.times import Duration
from threeport.cli.waiting import until_gone
from threeport.client import Client
from threeport.common.errors import Conflict, Forbidden, NotFound
from threeport.resources.kind import Kind

OWNER: Final = "Workload"
"""The kind of what makes its definition and its instance again."""


@click.command()
@objects_or_files("Delete the objects of these files.")
@namespace_option
@click.option("--wait/--no-wait", default=True, show_default=True, help="Whether to wait until they are gone.")
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="How long to wait, as 90s or 5m.")
@click.option("--ignore-not-found", is_flag=True, help="What does not exist is no error.")
@click.option(
    "--abandon",
    is_flag=True,
    help="Leave in the clusters what is there, and forget it: for a cluster that is gone for good.",
)
@click.option("--yes", "-y", is_flag=True, help="With --abandon: do not ask.")
@control_plane_option
def command(
    what: tuple[str, ...],
    sources: tuple[str, ...],
    namespace: str,
    wait: bool,
    timeout: float,
    ignore_not_found: bool,
    abandon: bool,
    yes: bool,
    control_plane: str | None,
) -> None:
    """Delete objects, and wait until they are gone.

    Objects of files go in reverse order of their references: what refers to others goes first.
    """
    check_given(what, sources)
    if yes and not abandon:
        raise click.UsageError("--yes goes with --abandon: nothing else is asked.")
    documents = read_documents(sources) if sources else []
    manner = _Manner(
        seconds=timeout if wait else 0.0,
        missing_is_fine=ignore_not_found or bool(sources),
        abandon=abandon,
        confirmed=yes,
    )
    run(_delete(what, documents, namespace, manner, control_plane))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How to delete."""

    seconds: float
    """How long to wait for all of it; 0 is not to wait."""
    missing_is_fine: bool
    abandon: bool
    confirmed: bool


async def _delete(
    what: tuple[str, ...],
    documents: Sequence[Document],
    namespace: str,
    manner: _Manner,
    control_plane: str | None,
) -> None:
    async with connected(control_plane) as client:
        catalog = await client.catalog()
        if documents:
            targets = targets_of(documents, catalog, namespace)
        else:
            targets = [await _target(client, *one, namespace) for one in named_objects(catalog, what)]
        left = await what_would_be_left(client, targets) if manner.abandon else []
        if left:
            confirm(left, assumed=manner.confirmed)
            await mark(client, left)
        seconds = manner.seconds
        deadline = time.monotonic() + seconds
        missing: list[Target] = []
        remade = [sentence for target in targets if (sentence := made_again_by(target, targets))]
        with progress(f"Deleting {listed(targets)}") as say:
            tally = Tally(say, len(targets), "gone")
            async with Following(client, targets if seconds else []) as following:
                try:
                    for level in reversed(levels(targets)):
                        missing += await _delete_level(client, level, following, deadline if seconds else None, tally)
                except (Conflict, Forbidden):
                    await take_back(client, left)
                    raise
    for one in left:
        note(f"Abandoned: {one.sentence}.")
    for sentence in remade:
        warning(sentence)
    for target in missing:
        note(f"{target} does not exist.")
    if missing and not manner.missing_is_fine:
        raise CliError(
            "Nothing was deleted." if len(missing) == len(targets) else "All others are deleted.", ExitCode.NOT_FOUND
        )


async def _target(client: Client, kind: Kind, name: str, namespace: str) -> Target:
    """The object with what it refers to, if it exists: what refers to others goes first."""
    named = Target(kind, in_namespace({"metadata": {"name": name}}, kind, namespace))
    found = await client.find(kind, name, named.namespace)
    return named if found is None else Target(kind, found)


def made_again_by(target: Target, deleted: Sequence[Target]) -> str | None:
    """What to know of an object that a Workload, which is not deleted with it, owns and makes again."""
    owners = target.obj["metadata"].get("ownerReferences") or ()
    owner = next((one for one in owners if one.get("controller") and one.get("kind") == OWNER), None)
    if owner is None or any(other.obj["metadata"].get("uid") == owner["uid"] for other in deleted):
        return None
    word = f"{owner['kind'].lower()}/{owner['name']}"
    place = f" -n {target.namespace}" if target.namespace and target.namespace != DEFAULT_NAMESPACE else ""
    return f"{target} belongs to {word}, which makes it again. To be rid of it: tptctl delete {word}{place}"


async def _delete_level(
    client: Client, level: Sequence[Target], following: Following, deadline: float | None, tally: Tally
) -> list[Target]:
    """Deletes objects that do not refer to each other. Returns those that do not exist."""
    uids = await asyncio.gather(*(_delete_one(client, target, following) for target in level))
    found = [(target, uid) for target, uid in zip(level, uids, strict=True) if uid]
    if deadline is None:
        for target, _ in found:
            result(f"{target} is being deleted")
    else:
        left = max(0.0, deadline - time.monotonic())
        await asyncio.gather(*(_await_end(following, target, uid, left, tally) for target, uid in found))
    return [target for target, uid in zip(level, uids, strict=True) if not uid]


async def _await_end(following: Following, target: Target, uid: str, seconds: float, tally: Tally) -> None:
    await until_gone(following, target, uid=uid, seconds=seconds, say=tally.say_of(target))
    tally.is_done(target)
    result(f"{target} deleted")


async def _delete_one(client: Client, target: Target, following: Following) -> str | None:
    """Asks for the deletion; returns the uid of what will go, None if there is nothing."""
    try:
        found = await client.get(target.kind, target.name, target.namespace)
        uid: str = found["metadata"]["uid"]
        await following.note(target, found)
        await client.delete(target.kind, target.name, target.namespace, uid=uid)
    except NotFound:
        return None
    return uid
