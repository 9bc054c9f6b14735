"""Tables show what kubectl shows."""

from __future__ import annotations

import pytest

from threeport.krm.ages import human_duration
from threeport.krm.jsonpath import find
from threeport.krm.table import table
from threeport.resources.kind import Column, Kind

OBJ = {
    "metadata": {"name": "x", "labels": {"example.com/a": "1"}},
    "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}], "n": 0},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".status.conditions[?(@.type=='Ready')].status", "True"),
        ('.status.conditions[?(@.type=="None")].status', None),
        (".status.conditions[0].type", "Other"),
        (".status.conditions[*].type", "Other"),
        (r".metadata.labels.example\.com/a", "1"),
        (".metadata.labels['example.com/a']", "1"),
        (".status.n", 0),
        (".status.n.deeper", None),
    ],
)
def test_a_path_finds_its_value(path: str, value: object) -> None:
    assert find(OBJ, path) == value


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (192, "3m12s"), (3600, "60m"), (11_000, "3h3m"), (90_000, "25h"),
     (187_200, "2d4h"), (864_000, "10d"), (86400 * 800, "2y70d")],
)  # fmt: skip
def test_ages_are_written_as_kubectl_writes_them(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def test_a_row_has_a_cell_for_each_column_and_carries_what_was_asked_for() -> None:
    columns = (
        Column("N", ".status.n", "integer"),
        Column("Ready", ".status.conditions[1].status"),
        Column("No", ".no"),
    )
    kind = Kind(kind="Thing", plural="things", singular="thing", columns=columns)
    made = table(kind, [OBJ], {"resourceVersion": "1"}, include="None")
    assert [column["name"] for column in made["columnDefinitions"]] == ["Name", "N", "Ready", "No"]
    assert made["rows"] == [{"cells": ["x", 0, "True", ""]}]
    assert table(kind, [OBJ], {}, include="Metadata")["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
