"""The documents are true in what can be checked without running anything: what they link to is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def documents() -> list[Path]:
    """The Markdown files of the project, whether committed yet or not."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.splitlines()
    found = listed or [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("[!.]*/**/*.md")]
    return sorted(REPOSITORY / name for name in found if (REPOSITORY / name).exists())


def anchors(document: Path) -> set[str]:
    """What can follow ``#`` in a link to the document, as GitHub makes it of headings."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_guide_can_be_found_from_the_first_page() -> None:
    first = (REPOSITORY / "README.md").read_text()
    missing = [
        document.name
        for document in documents()
        if document.parent.name == "guides" and f"docs/guides/{document.name}" not in first
    ]
    assert missing == []
