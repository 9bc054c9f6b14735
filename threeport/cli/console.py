"""Output for people: results on stdout, everything else on stderr, plain lines where there is no terminal."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import click

Progress: TypeAlias = Callable[[str], None]
"""Says what is being waited for; what was said is not repeated."""


_COMMANDS_TO_TERMINALS = re.compile(r"(?!\x1b\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, but for the ends of lines, tabs and colours."""


def result(text: str) -> None:
    """A line of the result, on stdout."""
    click.echo(harmless(text) if sys.stdout.isatty() else text)


def passed_on(text: str) -> None:
    """Part of a text that others write, on stdout, with the ends of lines that it has."""
    click.echo(harmless(text) if sys.stdout.isatty() else text, nl=False)


def note(text: str) -> None:
    """Something to know, on stderr."""
    click.echo(harmless(text), err=True)


def warning(text: str) -> None:
    """A warning, on stderr."""
    note(f"{click.style('Warning:', fg='yellow')} {text}")


def failure(text: str) -> None:
    """Why the command failed, on stderr."""
    note(f"{click.style('Error:', fg='red')} {text}")


def harmless(text: str) -> str:
    """The text without what would command a terminal: names and messages may come from anybody's cluster."""
    return _COMMANDS_TO_TERMINALS.sub("\N{REPLACEMENT CHARACTER}", text)


@contextmanager
def progress(beginning: str) -> Iterator[Progress]:
    """Shows what is going on until the block ends: a spinner on a terminal, else a line for each new message."""
    if sys.stderr.isatty():
        # Imported here: half of all commands show no progress.
        from rich.console import Console
        from rich.text import Text

        # As Text, which knows no markup: brackets in a message are brackets.
        with Console(stderr=True).status(Text(beginning)) as status:
            yield lambda message: status.update(Text(message))
    else:
        note(beginning)
        yield _lines(beginning)


def _lines(beginning: str) -> Progress:
    """Several things that are waited for take turns: a line that was said stands above and needs no repeating."""
    said = {beginning}

    def say(message: str) -> None:
        if message not in said:
            said.add(message)
            note(message)

    return say


def age(seconds: float) -> str:
    """A duration as Kubernetes writes it: ``45s``, ``5m``, ``3h``, ``2d``."""
    for size, unit, limit in ((1, "s", 120), (60, "m", 120 * 60), (3600, "h", 48 * 3600)):
        if seconds < limit:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds // 86400)}d"


def age_since(moment: float) -> str:
    """How long ago a moment (seconds since the epoch) was."""
    return age(max(0.0, time.time() - moment))


def columns(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a table in the manner of kubectl: upper-case header, columns three spaces apart, no borders."""
    cells = [[name.upper() for name in header], *([_one_line(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(header))]
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _one_line(text: str) -> str:
    return " ".join(text.split())
