"""How a command is told which objects are meant: by words, or by files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from threeport.cli import completing

F = TypeVar("F", bound=Callable[..., Any])


def objects_argument(function: F) -> F:
    """``KIND NAME...`` or ``KIND/NAME...``, as `what`; at least one object."""
    argument = click.argument(
        "what", nargs=-1, required=True, metavar="KIND NAME... | KIND/NAME...", shell_complete=completing.objects
    )
    return argument(function)


def objects_or_files(help: str) -> Callable[[F], F]:  # noqa: A002 - as click names it
    """Objects by words, as `what`, or ``-f FILE``, as `sources`; see `check_given`."""

    def decorate(function: F) -> F:
        option = click.option(
            "--filename", "-f", "sources", multiple=True, metavar="FILE", help=help, shell_complete=completing.files
        )
        argument = click.argument(
            "what", nargs=-1, metavar="[KIND NAME... | KIND/NAME...]", shell_complete=completing.objects
        )
        return argument(option(function))

    return decorate


def check_given(what: Sequence[str], sources: Sequence[str]) -> None:
    """Raises `click.UsageError` unless objects are named either by words or by files."""
    if bool(what) == bool(sources):
        raise click.UsageError("Say which objects: KIND NAME, KIND/NAME, or -f FILE.")
