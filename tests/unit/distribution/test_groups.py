"""Which tests go to one worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.distribution import APART, TOGETHER, group_of

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("path", [*TOGETHER, *APART])
def test_what_the_tables_name_is_there(path: str) -> None:
    assert (REPOSITORY / path).exists()
    assert path in TOGETHER or str(Path(path).parent) in TOGETHER


def test_tests_of_one_control_plane_are_a_group_apart_for_real_clusters() -> None:
    one, another = f"{TOGETHER[0]}/test_one.py::test_a[simulated]", f"{TOGETHER[0]}/test_two.py::test_b"
    assert group_of(one) == group_of(another)
    assert group_of(f"{TOGETHER[0]}/test_one.py::test_a[real-x]") != group_of(one)


def test_others_are_a_group_by_file() -> None:
    one, another = "tests/unit/krm/test_table.py", "tests/unit/krm/test_views.py"
    assert group_of(f"{one}::test_a") == group_of(f"{one}::test_b[1]") != group_of(f"{another}::test_a")
    assert group_of(f"{APART[0]}::test_a") != group_of(f"{Path(APART[0]).parent}/test_other.py::test_a")
