"""The page about security names tests: they are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "security.md"
FILE = re.compile(r"`((?:\w+/)+test_\w+\.py)`")
TEST = re.compile(r"`(test_\w+)`")


def test_every_test_that_the_page_names_is_in_the_file_that_it_names() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "`test_" in line]
    assert len(rows) > 5
    for row in rows:
        for part in re.split(r"; (?=`)", row):
            (file,) = FILE.findall(part)
            text = (TESTS / file if file.startswith("unit/") else TESTS / "integration" / file).read_text()
            for name in TEST.findall(part):
                assert f"def {name}(" in text, f"{file} has no {name}"
