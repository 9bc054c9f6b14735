"""Whatever fails: no acknowledged write is lost, and every watcher ends up with what the database holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.exactness.checker import check
from tests.integration.exactness.run import run
from tests.integration.exactness.servers import Site

SECONDS = 8.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three API processes and what they need."""
    with Site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_is_lost_torn_or_turned_back_whatever_fails(site: Site, seed: int, tmp_path: Path) -> None:
    result = await run(site, seed, seconds=SECONDS)
    found = check(result.history)
    if found:
        (tmp_path / "history").write_text("\n".join(result.history.lines()))
    told = "\n".join(map(str, found[:20]))
    assert not found, f"{len(found)} violations, seed {seed}, history in {tmp_path}:\n{told}"
    figures = result.figures()
    assert result.settled is not None
    # Few on a busy machine, but not none: where nothing happens nothing can go wrong.
    assert figures["writes acknowledged"] > 5, figures
    assert figures["events"] > 20, figures
