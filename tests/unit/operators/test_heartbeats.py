"""When an agent counts as silent."""

from __future__ import annotations

from operators.kubernetes_runtime.heartbeats import SILENT_AFTER, Heard, heard_now, sign_of_life, silence_of


def beat(time: str) -> dict[str, dict[str, str]]:
    return {"metadata": {"name": "eu"}, "spec": {"renewTime": time}}


def test_a_sign_of_life_counts_from_when_it_was_seen_whatever_the_clock_of_the_agent_says() -> None:
    first = heard_now(None, beat("2001-01-01T00:00:00Z"), 10.0)
    assert first == Heard("2001-01-01T00:00:00Z", 10.0)
    assert heard_now(first, beat("2001-01-01T00:00:00Z"), 40.0) == first
    assert heard_now(first, beat("1999-01-01T00:00:00Z"), 40.0).since == 40.0


def test_an_agent_is_silent_after_three_heartbeats_that_did_not_come() -> None:
    heard = Heard("2001-01-01T00:00:00Z", 10.0)
    assert silence_of(heard, 10.0 + SILENT_AFTER - 1) is None
    verdict = silence_of(heard, 10.0 + SILENT_AFTER)
    assert verdict is not None
    assert (verdict.reporting, verdict.reason) == ("False", "Silent")
    assert "2001-01-01" in verdict.message


def test_an_agent_that_never_came_is_told_from_one_that_fell_silent() -> None:
    verdict = silence_of(heard_now(None, None, 0.0), SILENT_AFTER)
    assert verdict is not None
    assert verdict.reason == "NeverReported"


def test_an_agent_that_is_heard_is_reporting_and_no_time_is_told_that_would_be_old_at_once() -> None:
    verdict = sign_of_life(beat("2001-01-01T00:00:00Z"))
    assert (verdict.reporting, verdict.last_seen) == ("True", None)
    assert "AgentHeartbeat eu" in verdict.message
