"""Statements are found wherever they are sent, without anybody listing them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialect.collect import Sent, sent_by

SOURCES = {
    "__init__": "",
    "wrapped": """
        async def fetch(connection, query, parameters=()):
            return await connection.execute(query.encode(), parameters)

        class Database:
            async def read(self, query, parameters=()):
                async def run():
                    return await fetch(self.connection, query, parameters)
                return await run()
    """,
    "using": """
        from sample_sql.wrapped import fetch

        TABLE = "things"
        ALL = f"SELECT name FROM {TABLE}"

        class Things:
            async def all(self, newest):
                return await self.database.read(ALL if not newest else f"{ALL} LIMIT 1")

            async def some(self, connection, condition):
                query = f"{ALL} WHERE true"
                await fetch(connection, query)
                await fetch(connection, f"{ALL} WHERE {condition}")

            async def other(self, file):
                return await file.read()

            def read(self, name, size, *, mode):
                return self.read("not SQL", 1, mode="r")
    """,
}


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Sent]]:
    """What is found in a package with two modules."""
    folder = tmp_path / "sample_sql"
    folder.mkdir()
    for name, source in SOURCES.items():
        lines = (line.removeprefix("        ") for line in source.splitlines())
        (folder / f"{name}.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    yield sent_by("sample_sql")
    for name in [name for name in sys.modules if name.startswith("sample_sql")]:
        del sys.modules[name]


def test_a_function_that_passes_its_argument_on_is_followed(sent: list[Sent]) -> None:
    assert "SELECT name FROM things" in {found.text for found in sent}


def test_both_sides_of_a_condition_are_found(sent: list[Sent]) -> None:
    assert {"SELECT name FROM things", "SELECT name FROM things LIMIT 1"} <= {found.text for found in sent}


def test_a_local_variable_is_looked_up(sent: list[Sent]) -> None:
    assert "SELECT name FROM things WHERE true" in {found.text for found in sent}


def test_a_statement_that_is_composed_at_run_time_is_told_and_not_left_out(sent: list[Sent]) -> None:
    assert [found.expression for found in sent if found.text is None] == ["f'{ALL} WHERE {condition}'"]


def test_a_function_of_the_same_name_that_takes_other_arguments_is_no_sender(sent: list[Sent]) -> None:
    assert "not SQL" not in {found.text for found in sent}
