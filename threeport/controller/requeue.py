"""Coming back later, in the terms of kopf: its persisted progress is the notification that is queued again."""

from __future__ import annotations

import kopf

from threeport.common.delays import FIRST_DELAY, LONGEST_DELAY, retry_delay


def try_again(
    why: str, retry: int, *, first: float = FIRST_DELAY, longest: float = LONGEST_DELAY
) -> kopf.TemporaryError:
    """The error to raise in attempt number `retry` (from 0) of a handler that could not finish.

    `why` is one sentence for the log. The delay doubles from `first` to `longest` seconds, with jitter.
    """
    return kopf.TemporaryError(why, delay=retry_delay(retry, first=first, longest=longest))
