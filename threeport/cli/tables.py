"""The server's ``Table`` answers as lines of text, in the manner of kubectl."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from threeport.cli.console import age_since
from threeport.cli.times import parse_time
from threeport.common.types import JsonObject
from threeport.resources.kind import Kind

GAP = "   "

Look: TypeAlias = tuple[str, ...]
"""What a row says, ages apart: they change by themselves."""


class Table:
    """A ``Table`` (meta.k8s.io/v1): columns with a name and a priority, rows of cells."""

    def __init__(self, answer: JsonObject) -> None:
        self.columns: list[JsonObject] = list(answer.get("columnDefinitions") or ())
        self.rows: list[JsonObject] = list(answer.get("rows") or ())

    def lines(
        self,
        *,
        wide: bool,
        with_namespace: bool,
        prefix: str = "",
        widths: list[int] | None = None,
        header: bool = True,
    ) -> tuple[list[str], list[int]]:
        """The lines, and the widths of the columns to give for rows that follow later.

        `wide` shows the columns of lower priority too; `prefix` goes before each name.
        """
        chosen = self._chosen(wide=wide)
        names = [self.columns[index]["name"].upper() for index in chosen]
        cells = [[*self._row(row, chosen, prefix, with_namespace=with_namespace)] for row in self.rows]
        heading = ["NAMESPACE", *names] if with_namespace else names
        wanted = [max(len(row[index]) for row in [heading, *cells]) for index in range(len(heading))]
        if widths is not None and len(widths) == len(wanted):
            wanted = [max(pair) for pair in zip(wanted, widths, strict=True)]
        rows = [heading, *cells] if header else cells
        lines = [GAP.join(cell.ljust(width) for cell, width in zip(row, wanted, strict=True)).rstrip() for row in rows]
        return lines, wanted

    def looks(self, *, wide: bool) -> dict[str, Look]:
        """What each row says, by the uid of its object."""
        chosen = [index for index in self._chosen(wide=wide) if not _is_age(self.columns[index])]
        return {
            row["object"]["metadata"]["uid"]: tuple(str(row["cells"][index]) for index in chosen) for row in self.rows
        }

    def _chosen(self, *, wide: bool) -> list[int]:
        return [index for index, column in enumerate(self.columns) if wide or not column.get("priority")]

    def _row(self, row: JsonObject, chosen: Sequence[int], prefix: str, *, with_namespace: bool) -> list[str]:
        cells = [_cell(row["cells"][index], self.columns[index]) for index in chosen]
        if cells and prefix:
            cells[0] = prefix + cells[0]
        if with_namespace:
            cells.insert(0, ((row.get("object") or {}).get("metadata") or {}).get("namespace") or "")
        return cells


def merged(tables: Sequence[tuple[Kind, Table]]) -> list[tuple[Kind, Table]]:
    """Tables of the same kind (one per object asked for by name) as one."""
    result: dict[str, tuple[Kind, Table]] = {}
    for kind, table in tables:
        if kind.resource in result:
            result[kind.resource][1].rows += table.rows
        else:
            result[kind.resource] = (kind, table)
    return list(result.values())


def _cell(value: object, column: JsonObject) -> str:
    """A cell as text: nothing is ``<none>`` nowhere in kubectl's custom columns, so it stays empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if _is_age(column):
        moment = parse_time(str(value))
        return age_since(moment) if moment is not None else str(value)
    return " ".join(str(value).split())


def _is_age(column: JsonObject) -> bool:
    return column.get("type") == "date" or column.get("format") == "date-time" or column.get("name") == "Age"
