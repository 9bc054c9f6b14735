"""Steps of the schema: numbered, repeatable, one DDL each."""

from __future__ import annotations

import pytest

from threeport.store.migrations import POSTGRES_NUMBERS, POSTGRES_STEPS, STEPS


@pytest.mark.parametrize("step", [*STEPS, *POSTGRES_STEPS])
def test_a_step_is_one_statement_that_may_run_again(step: str) -> None:
    assert any(words in step for words in ("IF NOT EXISTS", "CREATE OR REPLACE", "DROP CONSTRAINT IF EXISTS"))
    assert ";" not in step or "plpgsql" in step


def test_the_numbers_of_the_dialects_do_not_meet() -> None:
    assert len(STEPS) < POSTGRES_NUMBERS
