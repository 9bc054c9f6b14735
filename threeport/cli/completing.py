"""What the shell offers for a word that is being typed: kinds and names as the API knows them at that moment.

A shell waits for its completion, so the API is asked once, shortly, and silence is the answer to every failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:  # imported when it is needed: most of what is completed are commands and options
    from threeport.client import Client
    from threeport.resources.kind import Catalog, Kind

SECONDS = 1.5
"""How long the API may take for its answer."""

WITH_PODS = ("workload", "workloadinstance")


def objects(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """For ``KIND NAME...`` and ``KIND/NAME...``: kinds first, then the names of the kind that was chosen."""
    given = ctx.params.get("what") or ()
    words = (given,) if isinstance(given, str) else tuple(given)

    async def found(client: Client) -> list[str]:
        catalog = await client.catalog()
        if "/" in incomplete:
            word = incomplete.partition("/")[0]
            return [f"{word}/{name}" for name in await _names(client, ctx, catalog.by_word(word))]
        if words and "/" not in words[0]:
            return [name for name in await _names(client, ctx, catalog.by_word(words[0])) if name not in words]
        return [f"{kind}/" if words else kind for kind in kinds_for(incomplete, catalog)]

    return _asked(ctx, incomplete, found)


def workloads(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """For ``workload/NAME`` and ``workloadinstance/NAME``."""

    async def found(client: Client) -> list[str]:
        catalog = await client.catalog()
        kinds = [(word, catalog.by_word(word)) for word in WITH_PODS]
        return [f"{word}/{name}" for word, kind in kinds for name in await _names(client, ctx, kind)]

    return _asked(ctx, incomplete, found)


def namespaces(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """For ``-n NAMESPACE``."""

    async def found(client: Client) -> list[str]:
        return await _names(client, ctx, (await client.catalog()).by_word("namespaces"))

    return _asked(ctx, incomplete, found)


def control_planes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The names in the configuration."""
    from threeport.client.config import ConfigError, Configuration

    try:
        return _fitting(sorted(Configuration.read().control_planes), incomplete)
    except ConfigError:
        return []


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The shell's own names of files."""
    return [CompletionItem(incomplete, type="file")]


def kinds_for(incomplete: str, catalog: Catalog) -> Iterator[str]:
    """One word for each kind that begins as typed: the singular, else the plural, else a short name."""
    for kind in sorted(catalog, key=lambda kind: kind.singular):
        words = (kind.singular, kind.plural, *kind.short_names)
        fitting = next((word for word in words if word.startswith(incomplete.lower())), None)
        if fitting is not None:
            yield fitting


async def _names(client: Client, ctx: click.Context, kind: Kind | None) -> list[str]:
    if kind is None:
        return []
    namespace = (ctx.params.get("namespace") or "default") if kind.namespaced else None
    listed = await client.list(kind, None if ctx.params.get("all_namespaces") else namespace)
    return sorted({obj["metadata"]["name"] for obj in listed.items})


def _asked(ctx: click.Context, incomplete: str, find: Callable[[Client], Awaitable[Sequence[str]]]) -> list[str]:
    from threeport.client import Client, ClientSettings

    async def ask() -> Sequence[str]:
        settings = ClientSettings.from_config(ctx.params.get("control_plane"))
        async with asyncio.timeout(SECONDS), Client(settings) as client:
            return await find(client)

    try:
        return _fitting(asyncio.run(ask()), incomplete)
    except Exception:  # whatever it is, a message in the middle of a command line helps nobody
        return []


def _fitting(words: Sequence[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
