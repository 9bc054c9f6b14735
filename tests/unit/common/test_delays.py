"""Delays double up to their limit and are spread."""

from __future__ import annotations

import pytest

from threeport.common.delays import retry_delay


@pytest.mark.parametrize(("retry", "middle"), [(0, 5), (1, 10), (3, 40), (6, 300), (1000, 300)])
def test_a_delay_doubles_with_each_retry_up_to_five_minutes(retry: int, middle: float) -> None:
    assert middle * 0.9 <= retry_delay(retry) <= middle * 1.1


def test_objects_that_failed_together_do_not_come_back_together() -> None:
    assert len({retry_delay(3) for _ in range(100)}) > 50
