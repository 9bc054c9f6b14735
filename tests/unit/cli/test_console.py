"""What is printed commands no terminal, whoever has named it."""

from __future__ import annotations

import io
from collections.abc import Callable

import click
import pytest

from threeport.cli.console import Columns, harmless, note, passed_on, progress, result


class Terminal(io.StringIO):
    """Takes what is written to it for what a person sees."""

    def isatty(self) -> bool:
        return True


def stderr_on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The terminal that stderr is from now on. Not a fixture: pytest sets stderr anew before it calls the test."""
    made = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stderr", made)
    return made


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


def test_what_is_waited_for_commands_no_terminal_either(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_on_terminal(monkeypatch)
    with progress("Waiting for workload/a\x1b]0;title\x07") as say:
        say("CrashLoopBackOff: \x1b[2Jlast words of a container\x9b5n")
    shown = terminal.getvalue()
    assert "\ufffd[2Jlast words of a container\ufffd5n" in shown
    assert "\x1b]0" not in shown
    assert "\x1b[2J" not in shown


def test_results_go_to_the_file_that_stdout_is_also_while_something_is_waited_for_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = stderr_on_terminal(monkeypatch)
    with progress("Deleting workload/a"):
        result("workload/a deleted")
    assert capsys.readouterr().out == "workload/a deleted\n"
    assert "workload/a deleted" not in terminal.getvalue()


def test_results_stand_above_what_is_waited_for_where_both_are_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_on_terminal(monkeypatch)
    monkeypatch.setattr("sys.stdout", terminal)
    with progress("Deleting 2 objects"):
        result("workload/a deleted")
        note(click.style("so it is", fg="red"))
    shown = terminal.getvalue()
    assert "\x1b[2Kworkload/a deleted\n" in shown
    assert "\x1b[2K\x1b[31mso it is\x1b[0m\n" in shown


def test_who_wants_no_colors_gets_none_on_a_terminal_either(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_on_terminal(monkeypatch)
    note(click.style("red", fg="red"))
    monkeypatch.setenv("NO_COLOR", "1")
    note(click.style("plain", fg="red"))
    assert terminal.getvalue() == "\x1b[31mred\x1b[0m\nplain\n"


def test_rows_that_come_later_stand_below_the_same_columns() -> None:
    table = Columns(["Object", "Cluster", "Message"])
    assert table.lines([["Workload/shop", "", "made\nit"]]) == [
        "OBJECT          CLUSTER   MESSAGE",
        "Workload/shop             made it",
    ]
    assert table.lines([["Pod/a", "far", "starts"]]) == ["Pod/a           far       starts"]
    assert table.lines([]) == []
