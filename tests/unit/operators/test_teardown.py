"""How often a deletion is looked at follows from how long it has taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from operators.workload.teardown import pace_of_waiting


@pytest.mark.parametrize(("seconds", "pace"), [(0, 0.5), (100, 10.0), (86400, 60.0)])
def test_a_long_deletion_is_looked_at_less_often(seconds: int, pace: float) -> None:
    since = (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert pace_of_waiting(since) == pytest.approx(pace, abs=0.2)
