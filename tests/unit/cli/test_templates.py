"""`-o jsonpath=`: values of objects for scripts."""

from __future__ import annotations

import pytest

from threeport.cli.errors import CliError
from threeport.cli.templates import expand

LIST = {"items": [{"metadata": {"name": "a"}, "spec": {"n": 1}}, {"metadata": {"name": "b"}, "spec": {"n": 2}}]}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (".items[0].metadata.name", "a"),
        ("{.items[*].metadata.name}", "a b"),
        ('n={.items[1].spec.n}{"\\n"}', "n=2\n"),
        ("{.items[?(@.metadata.name=='b')].spec}", '{"n":2}'),
        ("{.nothing.here}", ""),
    ],
)
def test_values_stand_in_the_place_of_their_paths(template: str, text: str) -> None:
    assert expand(template, LIST) == text


@pytest.mark.parametrize("template", ["{range .items[*]}", '{"open}', "{.a[}"])
def test_what_cannot_be_understood_is_refused_with_an_example(template: str) -> None:
    with pytest.raises(CliError, match="such as"):
        expand(template, LIST)
