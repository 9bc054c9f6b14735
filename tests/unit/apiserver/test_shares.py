"""Shares: nobody holds more than a part of the whole, whatever others hold."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from prometheus_client import REGISTRY

from threeport.apiserver.shares import Shares
from threeport.common.errors import TooManyRequests
from threeport.krm.interfaces import Identity

ADA, BEN = Identity("viewer:ada"), Identity("viewer:ben")


def test_who_holds_all_of_a_share_is_sent_away_and_others_are_not() -> None:
    shares = Shares("watches", 5, 0.5)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(shares.one_of(ADA))
        with pytest.raises(TooManyRequests, match="viewer:ada has 3 watches") as refused, shares.one_of(ADA):
            pass
        assert refused.value.retry_after == 1
        with shares.one_of(BEN):
            pass
    with shares.one_of(ADA):
        pass


def test_what_ends_with_an_error_is_held_no_longer() -> None:
    shares = Shares("requests", 1, 0.5)
    for _ in range(3):
        with pytest.raises(ValueError, match="bad"), shares.one_of(ADA):
            raise ValueError("bad")


def test_groups_make_no_other_identity() -> None:
    shares = Shares("requests", 2, 0.5)
    with shares.one_of(ADA), pytest.raises(TooManyRequests), shares.one_of(Identity(ADA.name, ("more",))):
        pass


def test_refusals_are_counted_by_what_was_refused() -> None:
    shares, labels = Shares("tests", 1, 1), {"limit": "tests of one identity"}
    with shares.one_of(ADA), pytest.raises(TooManyRequests), shares.one_of(ADA):
        pass
    assert REGISTRY.get_sample_value("threeport_requests_refused_total", labels) == 1
