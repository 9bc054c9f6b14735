"""Applying what files say, for good or as a dry run; errors are told in terms of the files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from threeport.cli.documents import Document
from threeport.cli.ordering import Target, levels
from threeport.cli.session import FIELD_MANAGER
from threeport.cli.targets import targets_of
from threeport.client import Client, Operation
from threeport.common.errors import ApiError, Conflict
from threeport.common.types import JsonObject


class Outcome(NamedTuple):
    """One object before and after; `old` is None for one that did not exist."""

    target: Target
    old: JsonObject | None
    new: JsonObject

    @property
    def is_new(self) -> bool:
        """Whether the object did not exist before."""
        return self.old is None or self.old["metadata"]["uid"] != self.new["metadata"]["uid"]


async def apply_documents(
    client: Client, documents: Sequence[Document], namespace: str, *, force: bool, dry_run: bool
) -> list[Outcome]:
    """Applies all documents in one transaction, what others refer to first. Raises `ApiError` that names the file."""
    targets = targets_of(documents, await client.catalog(), namespace)
    origins = {id(target): document for target, document in zip(targets, documents, strict=True)}
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
        raise _explained(error, ordered, origins) from None
    return [Outcome(*each) for each in zip(ordered, before, after, strict=True)]


def content_of(obj: JsonObject) -> JsonObject:
    """What a person can change of an object: not its revision, and not what the server or controllers keep there."""
    metadata = {key: obj["metadata"].get(key) for key in ("labels", "annotations", "ownerReferences")}
    rest = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {"metadata": {key: value for key, value in metadata.items() if value}, **rest}


async def _find(client: Client, target: Target) -> JsonObject | None:
    return await client.find(target.kind, target.name, target.namespace)


def _explained(error: ApiError, ordered: Sequence[Target], origins: Mapping[int, Document]) -> ApiError:
    """The error in terms of the files: where the object stands, which file a manifest came from, how to go on."""
    message = error.message
    found = re.match(r"operation (\d+) \([^)]*\): ", message)
    if found and int(found[1]) < len(ordered):
        target = ordered[int(found[1])]
        document = origins[id(target)]
        message = f"{document.origin}: {target}: {message[found.end() :]}"
        for index, file in document.inlined:
            message = message.replace(f"spec.manifests[{index}]", f"spec.manifests[{index}] ({file.name})")
    if isinstance(error, Conflict) and "conflict" in message.lower() and "force" not in message:
        message += "\nTo take over these fields, apply with --force-conflicts."
    error.args = (message,)
    return error
