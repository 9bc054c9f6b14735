"""The rules hold, for the model and for the hub that the API server runs, and each of them is needed.

`THREEPORT_SPECIFICATION_SEEDS` is the number of runs with all rules on; `python -m tests.specification` does more.
"""

from __future__ import annotations

import os

import pytest

from tests.specification.rules import HANDOVER, OF_THE_SHELL, OF_THE_WORLD, RULES, Config, Faults, HubName, without
from tests.specification.search import search, shortest

SEEDS = int(os.environ.get("THREEPORT_SPECIFICATION_SEEDS", "200"))
RUNS_TO_FIND = 2000
"""Runs in which the loss that a rule prevents has to show; most show in the first twenty."""


@pytest.mark.parametrize("faults", [Faults(), HANDOVER], ids=["faults", "handover"])
@pytest.mark.parametrize("hub", ["rules", "core"])
def test_no_client_loses_or_keeps_anything_or_goes_back_with_all_rules_on(hub: HubName, faults: Faults) -> None:
    config = Config(hub, faults=faults)
    found = search(config, SEEDS)
    history = shortest(config, (found.first_seed or 0) + 1) if found.violations else []
    assert not found.violations, "\n".join(history or [])


@pytest.mark.parametrize("rule", RULES)
def test_without_a_rule_of_the_model_a_client_is_wrong(rule: str) -> None:
    assert search(without(rule), RUNS_TO_FIND).violations


@pytest.mark.parametrize("rule", OF_THE_WORLD + OF_THE_SHELL)
def test_without_a_rule_around_the_real_hub_a_client_is_wrong(rule: str) -> None:
    assert search(without(rule, "core"), RUNS_TO_FIND).violations


def test_resuming_at_a_position_in_the_stream_loses_changes() -> None:
    assert search(Config("ring"), 30).violations


def test_a_run_is_determined_by_its_seed() -> None:
    assert shortest(without("ascending"), 3) == shortest(without("ascending"), 3)
