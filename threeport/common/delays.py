"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_DELAY = 5.0
LONGEST_DELAY = 300.0
"""Seconds; the first and the longest delay of a reconcile that could not finish."""


def retry_delay(retry: int, *, first: float = FIRST_DELAY, longest: float = LONGEST_DELAY) -> float:
    """Seconds until attempt number `retry` + 1: doubling from `first` to `longest`, with up to 10 % of jitter.

    The jitter keeps a thousand objects that failed together (a cluster went away) from coming back together.
    """
    return float(min(first * 2 ** min(retry, 16), longest)) * random.uniform(0.9, 1.1)
