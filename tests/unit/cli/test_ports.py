"""Which ports a person means."""

from __future__ import annotations

import click
import pytest

from threeport.cli.commands.port_forward import _is_ports, _ports


@pytest.mark.parametrize(
    ("word", "expected"), [("8080:80", (8080, 80)), ("80", (80, 80)), (":80", (0, 80)), ("0:80", (0, 80))]
)
def test_local_and_remote_port(word: str, expected: tuple[int, int]) -> None:
    assert _is_ports(word)
    assert _ports(word) == expected


def test_names_of_objects_are_no_ports_and_neither_are_numbers_out_of_range() -> None:
    assert not _is_ports("service/web")
    assert not _is_ports("a:80")
    for word in ("80:0", "70000:80", "80:65536"):
        with pytest.raises(click.UsageError, match="holds no port"):
            _ports(word)
