"""What is printed commands no terminal, whoever has named it."""

from __future__ import annotations

import click
import pytest

from threeport.cli.console import harmless


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("\x1b[2J\x1b[1;1H", "\ufffd[2J\ufffd[1;1H"),
        ("over\rwritten\x9b31m", "over\ufffdwritten\ufffd31m"),
        ("two\nlines\tand äöü 日本", "two\nlines\tand äöü 日本"),
        (click.style("red", fg="red", bold=True), click.style("red", fg="red", bold=True)),
    ],
)
def test_only_colours_and_the_ends_of_lines_reach_a_terminal(text: str, expected: str) -> None:
    assert harmless(text) == expected
