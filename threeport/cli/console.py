"""Output for people: results on stdout, everything else on stderr, plain lines where there is no terminal."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, TypeAlias

import click

from threeport.krm.ages import human_duration

if TYPE_CHECKING:
    from rich.console import Console

Progress: TypeAlias = Callable[[str], None]
"""Says what is being waited for; what was said is not repeated."""


_COMMANDS_TO_TERMINALS = re.compile(r"(?!\x1b\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, but for the ends of lines, tabs and colours."""


_spinning: list[Console] = []
"""Where a spinner is shown at the moment; what is said on a terminal meanwhile has to stand above it."""


def result(text: str) -> None:
    """A line of the result, on stdout."""
    _say(harmless(text) if sys.stdout.isatty() else text, sys.stdout)


def passed_on(text: str) -> None:
    """Part of a text that others write, on stdout, with the ends of lines that it has."""
    click.echo(harmless(text) if sys.stdout.isatty() else text, nl=False, color=_color())


def note(text: str) -> None:
    """Something to know, on stderr."""
    _say(harmless(text), sys.stderr)


def _say(line: str, stream: TextIO) -> None:
    if _spinning and stream.isatty():
        from rich.text import Text

        _spinning[-1].print(Text.from_ansi(line), soft_wrap=True)
    else:
        click.echo(line, err=stream is sys.stderr, color=_color())


def _color() -> bool | None:
    """Not even on a terminal for those who say so (https://no-color.org); None: where there is one."""
    return False if os.environ.get("NO_COLOR") else None


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
    """Shows what is going on until the block ends: a spinner on a terminal that can, else lines for new messages."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _spinner(beginning) as say:
            yield say
    else:
        note(beginning)
        yield _lines(beginning)


@contextmanager
def _spinner(beginning: str) -> Iterator[Progress]:
    # Imported here: half of all commands show no progress.
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    console = Console(stderr=True)
    # As Text, which knows no markup: brackets in a message are brackets.
    spinner = Spinner("dots", Text(harmless(beginning)), style="status.spinner")
    # Not redirected by rich, which would print results on stderr.
    live = Live(
        spinner, console=console, transient=True, refresh_per_second=10, redirect_stdout=False, redirect_stderr=False
    )
    with live:
        _spinning.append(console)
        try:
            yield lambda message: spinner.update(text=Text(harmless(message)))
        finally:
            _spinning.pop()


def _lines(beginning: str) -> Progress:
    """Several things that are waited for take turns: a line that was said stands above and needs no repeating."""
    said = {beginning}

    def say(message: str) -> None:
        if message not in said:
            said.add(message)
            note(message)

    return say


def age_since(moment: float) -> str:
    """How long ago a moment (seconds since the epoch) was, as the API writes it in its tables: ``45s``, ``3m12s``."""
    return human_duration(int(max(0.0, time.time() - moment)))


class Columns:
    """A table in the manner of kubectl: upper-case header, columns three spaces apart, no borders. Rows may follow
    later, below the same columns."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = [name.upper() for name in header]
        self._widths: list[int] = []

    def lines(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """The rows as lines; those that come first have the header above them."""
        cells = [[_one_line(cell) for cell in row] for row in rows]
        if not self._widths:
            cells.insert(0, self._header)
            self._widths = [0] * len(self._header)
        self._widths = [max([width, *map(len, column)]) for width, *column in zip(self._widths, *cells, strict=True)]
        return ["   ".join(map(str.ljust, row, self._widths)).rstrip() for row in cells]


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a whole table."""
    return Columns(header).lines(rows)


def _one_line(text: str) -> str:
    return " ".join(text.split())
