"""``tptctl apply``: what the files say becomes what the API holds, all of it or nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import click

from threeport.cli.console import result
from threeport.cli.documents import Document, read_documents
from threeport.cli.ordering import Target, levels
from threeport.cli.session import FIELD_MANAGER, connected, control_plane_option, namespace_option, run
from threeport.cli.targets import targets_of
from threeport.client import Client, Operation
from threeport.common.errors import ApiError, Conflict
from threeport.common.types import JsonObject


@click.command()
@click.option(
    "--filename", "-f", "sources", multiple=True, required=True, metavar="FILE",
    help="A file, a directory, or - for stdin; may be repeated.",
)  # fmt: skip
@namespace_option
@click.option("--dry-run", is_flag=True, help="Ask the API what would happen, and change nothing.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that another program has set.")
@control_plane_option
def command(
    sources: tuple[str, ...], namespace: str, dry_run: bool, force_conflicts: bool, control_plane: str | None
) -> None:
    """Create or change objects from files, all or nothing.

    A workload may name its manifests by path (spec.manifests: [app.yaml]), relative to its file.
    """
    documents = read_documents(sources)
    run(_apply(documents, namespace, dry_run, force_conflicts, control_plane))


async def _apply(
    documents: Sequence[Document], namespace: str, dry_run: bool, force: bool, control_plane: str | None
) -> None:
    async with connected(control_plane) as client:
        targets = targets_of(documents, await client.catalog(), namespace)
        ordered = [target for level in levels(targets) for target in level]
        before = await asyncio.gather(*(_find(client, target) for target in ordered))
        try:
            after = await client.transaction(
                [Operation(verb="apply", obj=target.obj) for target in ordered],
                field_manager=FIELD_MANAGER,
                force=force,
                dry_run=dry_run,
            )
        except ApiError as error:
            raise _explained(error, ordered, documents) from None
    suffix = " (dry run)" if dry_run else ""
    for target, old, new in zip(ordered, before, after, strict=True):
        result(f"{target} {_what_happened(old, new)}{suffix}")


async def _find(client: Client, target: Target) -> JsonObject | None:
    return await client.find(target.kind, target.name, target.namespace)


def _what_happened(old: JsonObject | None, new: JsonObject) -> str:
    if old is None or old["metadata"]["uid"] != new["metadata"]["uid"]:
        return "created"
    return "unchanged" if _content(old) == _content(new) else "configured"


def _content(obj: JsonObject) -> JsonObject:
    """What a person can change of an object: not its revision, and not what the server or controllers keep there."""
    metadata = {key: obj["metadata"].get(key) for key in ("labels", "annotations", "ownerReferences", "generation")}
    rest = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {"metadata": metadata, **rest}


def _explained(error: ApiError, ordered: Sequence[Target], documents: Sequence[Document]) -> ApiError:
    """The error in terms of the files: where the object stands, which file a manifest came from, how to go on."""
    message = error.message
    found = re.match(r"operation (\d+) \([^)]*\): ", message)
    if found and int(found[1]) < len(ordered):
        target = ordered[int(found[1])]
        document = next((each for each in documents if _same(each, target)), None)
        where = f"{document.origin}: " if document else ""
        message = f"{where}{target}: {message[found.end() :]}"
        for index, file in document.inlined if document else ():
            message = message.replace(f"spec.manifests[{index}]", f"spec.manifests[{index}] ({file.name})")
    if isinstance(error, Conflict) and "conflict" in message.lower() and "force" not in message:
        message += "\nTo take over these fields, apply with --force-conflicts."
    error.args = (message,)
    return error


def _same(document: Document, target: Target) -> bool:
    obj = document.obj
    return bool(obj["kind"] == target.kind.kind and obj["metadata"]["name"] == target.name)
