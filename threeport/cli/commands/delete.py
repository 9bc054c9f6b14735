"""``tptctl delete``: what refers to others goes first, and the command waits until all is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import click

from threeport.cli import completing
from threeport.cli.console import Progress, note, progress, result
from threeport.cli.documents import Document, read_documents
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.ordering import Target, in_namespace, levels
from threeport.cli.session import connected, control_plane_option, named_objects, namespace_option, run
from threeport.cli.targets import targets_of
from threeport.cli.times import Duration
from threeport.cli.waiting import until_gone
from threeport.client import Client
from threeport.common.errors import NotFound


@click.command()
@click.argument("what", nargs=-1, metavar="[KIND NAME... | KIND/NAME...]", shell_complete=completing.objects)
@click.option(
    "--filename",
    "-f",
    "sources",
    multiple=True,
    metavar="FILE",
    help="Delete the objects of these files.",
    shell_complete=completing.files,
)
@namespace_option
@click.option("--wait/--no-wait", default=True, show_default=True, help="Whether to wait until they are gone.")
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="How long to wait, as 90s or 5m.")
@click.option("--ignore-not-found", is_flag=True, help="What does not exist is no error.")
@control_plane_option
def command(
    what: tuple[str, ...],
    sources: tuple[str, ...],
    namespace: str,
    wait: bool,
    timeout: float,
    ignore_not_found: bool,
    control_plane: str | None,
) -> None:
    """Delete objects, and wait until they are gone.

    Objects of files go in reverse order of their references: what refers to others goes first.
    """
    if bool(what) == bool(sources):
        raise click.UsageError("Say which objects: KIND NAME, KIND/NAME, or -f FILE.")
    documents = read_documents(sources) if sources else []
    seconds = timeout if wait else 0.0
    run(_delete(what, documents, namespace, seconds, ignore_not_found or bool(sources), control_plane))


async def _delete(
    what: tuple[str, ...],
    documents: Sequence[Document],
    namespace: str,
    seconds: float,
    missing_is_fine: bool,
    control_plane: str | None,
) -> None:
    """`seconds` is how long to wait for all of it; 0 is not to wait."""
    async with connected(control_plane) as client:
        catalog = await client.catalog()
        if documents:
            targets = targets_of(documents, catalog, namespace)
        else:
            named = named_objects(catalog, what)
            targets = [
                Target(kind, in_namespace({"metadata": {"name": name}}, kind, namespace)) for kind, name in named
            ]
        deadline = time.monotonic() + seconds
        missing: list[Target] = []
        with progress(f"Deleting {', '.join(map(str, targets))}") as say:
            for level in reversed(levels(targets)):
                missing += await _delete_level(client, level, deadline if seconds else None, say)
    for target in missing:
        note(f"{target} does not exist.")
    if missing and not missing_is_fine:
        raise CliError(f"{len(missing)} of {len(targets)} objects did not exist.", ExitCode.NOT_FOUND)


async def _delete_level(client: Client, level: Sequence[Target], deadline: float | None, say: Progress) -> list[Target]:
    """Deletes objects that do not refer to each other. Returns those that do not exist."""
    uids = await asyncio.gather(*(_delete_one(client, target) for target in level))
    found = [(target, uid) for target, uid in zip(level, uids, strict=True) if uid]
    if deadline is not None:
        left = max(0.0, deadline - time.monotonic())
        await asyncio.gather(*(until_gone(client, target, uid=uid, seconds=left, say=say) for target, uid in found))
    for target, _ in found:
        result(f"{target} deleted" if deadline is not None else f"{target} is being deleted")
    return [target for target, uid in zip(level, uids, strict=True) if not uid]


async def _delete_one(client: Client, target: Target) -> str | None:
    """Asks for the deletion; returns the uid of what will go, None if there is nothing."""
    try:
        found = await client.get(target.kind, target.name, target.namespace)
        uid: str = found["metadata"]["uid"]
        await client.delete(target.kind, target.name, target.namespace, uid=uid)
    except NotFound:
        return None
    return uid
