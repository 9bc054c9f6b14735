"""What callers are told when the store cannot serve them."""

from __future__ import annotations

import pytest

from threeport.krm.answers import as_api_error
from threeport.store.records import StoreBusy, StoreUnavailable, TookTooLong


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (StoreUnavailable("connection refused"), 503, "cannot be reached"),
        (StoreBusy("too many others change the same"), 503, "nothing was changed: too many others change the same"),
        (TookTooLong("it took longer than the 5 s"), 504, "it took longer than the 5 s; ask for less at once"),
    ],
)
def test_the_true_reason_is_told_and_when_to_come_again(error: Exception, code: int, said: str) -> None:
    answer = as_api_error(error, watching=False)
    assert (answer.code, answer.retry_after) == (code, 1)
    assert said in answer.message
    assert as_api_error(error, watching=True).code == 429
