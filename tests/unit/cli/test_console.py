"""What is printed commands no terminal, whoever has named it."""

from __future__ import annotations

from collections.abc import Callable

import click
import pytest

from threeport.cli.console import harmless, passed_on, result


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


@pytest.mark.parametrize("say", [result, passed_on])
def test_what_others_write_commands_no_terminal_and_goes_into_a_pipe_as_it_is(
    say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say("a\x07")
    assert "a\x07" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    say("\x1b[2Ja\x07")
    assert "\ufffd[2Ja\ufffd" in capsys.readouterr().out
