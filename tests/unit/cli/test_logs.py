"""Logs on a terminal, and in a pipe."""

from __future__ import annotations

import pytest

from threeport.cli.commands.logs import Printer

CHUNKS = (b"a \x1b[3", b"1mred\x1b[0m b\r\n\x1b]0;title\x07 \xc3", b"\xa4\nthe end")


def test_a_log_commands_no_terminal_and_keeps_its_colors_however_it_is_cut_on_the_way(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    printer = Printer()
    for chunk in CHUNKS:
        printer.write(chunk)
    printer.end()
    assert capfdbinary.readouterr().out.decode() == ("a \x1b[31mred\x1b[0m b\n\ufffd]0;title\ufffd \u00e4\nthe end\n")


def test_a_log_goes_into_a_pipe_as_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    printer = Printer()
    for chunk in CHUNKS:
        printer.write(chunk)
    printer.end()
    assert capfdbinary.readouterr().out == b"".join(CHUNKS)
