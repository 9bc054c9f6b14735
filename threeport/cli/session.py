"""What commands that speak to the API have in common: the options, the client, the kinds that words stand for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from threeport.cli import completing
from threeport.cli.console import note, warning
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.resources.kind import Catalog, Kind

if TYPE_CHECKING:
    from threeport.client import Client

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

DEFAULT_NAMESPACE = "default"
FIELD_MANAGER = "tptctl"


def control_plane_option(function: F) -> F:
    """``--control-plane NAME``: which control plane to speak to."""
    option = click.option(
        "--control-plane", "-c", metavar="NAME", help="The control plane to speak to; the current one by default.",
        shell_complete=completing.control_planes,
    )  # fmt: skip
    return option(function)


def named_option(function: F) -> F:
    """``--name NAME``, or as with the other commands ``--control-plane NAME``: which local control plane is meant."""
    option = click.option(
        "--name", "--control-plane", "-c", "name", metavar="NAME",
        help="The control plane; the current one by default.",
        shell_complete=completing.control_planes,
    )  # fmt: skip
    return option(function)


def namespace_option(function: F) -> F:
    """``-n NAMESPACE``."""
    option = click.option(
        "--namespace", "-n", default=DEFAULT_NAMESPACE, show_default=True, metavar="NAMESPACE", help="The namespace.",
        shell_complete=completing.namespaces,
    )  # fmt: skip
    return option(function)


def insisted_namespace() -> str | None:
    """The namespace of ``-n`` where it stands on the command line of the running command; None for the default."""
    context = click.get_current_context(silent=True)
    if context is None or context.get_parameter_source("namespace") is not ParameterSource.COMMANDLINE:
        return None
    return str(context.params["namespace"])


@asynccontextmanager
async def connected(control_plane: str | None) -> AsyncIterator[Client]:
    """A client of the control plane (the current one if None). Warnings of the server go to stderr."""
    # Imported here: what asks nothing of the API, such as the completion of a shell, starts in a third of the time.
    from threeport.client import Client, ClientSettings

    async with Client(ClientSettings.from_config(control_plane), on_warning=warning) as client:
        yield client


def run(action: Awaitable[T]) -> T:
    """Runs the asynchronous part of a command."""

    async def body() -> T:
        return await action

    return asyncio.run(body())


@contextmanager
def until_interrupted(*, endless: bool = True) -> Iterator[None]:
    """For what goes on until Ctrl-C: that is how it ends, so there is nothing to say, and nothing to continue."""
    try:
        yield
    except KeyboardInterrupt:
        if not endless:
            raise
        if sys.stderr.isatty():
            note("")  # the terminal shows ^C, and the shell writes on
        raise click.exceptions.Exit(ExitCode.INTERRUPTED) from None


def kind_called(catalog: Catalog, word: str) -> Kind:
    """The kind that a person means. Raises `CliError` that lists what there is."""
    found = catalog.by_word(word)
    if found is None:
        words = [known for kind in catalog for known in (kind.singular, kind.plural, *kind.short_names)]
        close = get_close_matches(word.lower(), words)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        known = ", ".join(sorted(kind.plural for kind in catalog))
        raise CliError(
            f"The API has no kind {word!r}.{meant} It has: {known}. "
            "What workloads have put into clusters is shown by `tptctl tree workload/NAME`."
        )
    return found


def namespace_of(kind: Kind, namespace: str) -> str | None:
    """The namespace that counts for a kind: none if it is cluster-scoped."""
    return namespace if kind.namespaced else None


def named_objects(catalog: Catalog, words: tuple[str, ...]) -> list[tuple[Kind, str]]:
    """What ``KIND NAME...`` or ``KIND/NAME...`` stand for. Raises `click.UsageError` for neither."""
    if words and all("/" in word for word in words):
        pairs = [word.split("/", 1) for word in words]
        return [(kind_called(catalog, kind), name) for kind, name in pairs]
    if len(words) < 2 or any("/" in word for word in words):
        raise click.UsageError("Say which object: KIND NAME, or KIND/NAME.")
    kind = kind_called(catalog, words[0])
    return [(kind, name) for name in words[1:]]
