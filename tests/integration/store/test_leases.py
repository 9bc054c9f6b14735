"""Leases: one holder at a time, epochs that only grow."""

from __future__ import annotations

import asyncio
import time

import pytest

from threeport.store.database import Database
from threeport.store.leases import Lease, Leases


@pytest.fixture
def leases(database: Database) -> Leases:
    return Leases(database)


async def acquired(leases: Leases, holder: str, *, seconds: float = 30) -> Lease:
    """The lease, as soon as it can be had."""
    deadline = time.monotonic() + seconds
    while True:
        lease = await leases.acquire("x", holder, 60)
        if lease is not None:
            return lease
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_while_one_holds_it_another_does_not(leases: Leases) -> None:
    first = await leases.acquire("x", "one", 60)
    assert first is not None
    assert await leases.acquire("x", "two", 60) is None
    assert await leases.acquire("y", "two", 60) is not None
    assert await leases.current_epoch("x") == first.epoch


async def test_of_many_who_ask_at_once_one_gets_it(leases: Leases) -> None:
    results = await asyncio.gather(*(leases.acquire("x", f"holder-{number}", 60) for number in range(50)))
    assert sum(result is not None for result in results) == 1


async def test_an_expired_lease_passes_on_under_a_higher_epoch(leases: Leases) -> None:
    first = await leases.acquire("x", "one", 0.3)
    assert first is not None
    second = await acquired(leases, "two")
    assert second.epoch > first.epoch
    assert await leases.renew("x", "one", first.epoch, 60) is None
    assert await leases.current_epoch("x") == second.epoch


async def test_a_renewed_lease_lasts_and_keeps_its_epoch(leases: Leases) -> None:
    first = await leases.acquire("x", "one", 1)
    assert first is not None
    renewed = await leases.renew("x", "one", first.epoch, 60)
    assert renewed is not None
    assert renewed.epoch == first.epoch
    assert renewed.expires > first.expires
    assert await leases.acquire("x", "two", 60) is None


async def test_an_expired_lease_that_nobody_took_is_renewed(leases: Leases) -> None:
    first = await leases.acquire("x", "one", 0)
    assert first is not None
    assert await leases.current_epoch("x") is None
    assert await leases.renew("x", "one", first.epoch, 60) is not None
    assert await leases.current_epoch("x") == first.epoch


async def test_a_released_lease_is_free_at_once_and_its_epoch_is_not_used_again(leases: Leases) -> None:
    first = await leases.acquire("x", "one", 60)
    assert first is not None
    await leases.release("x", "one", first.epoch)
    assert await leases.current_epoch("x") is None
    second = await leases.acquire("x", "two", 60)
    assert second is not None
    assert second.epoch > first.epoch
    await leases.release("x", "one", first.epoch)
    assert await leases.current_epoch("x") == second.epoch


async def test_the_same_holder_starting_anew_outdates_its_former_self(leases: Leases) -> None:
    first = await leases.acquire("x", "one", 60)
    second = await leases.acquire("x", "one", 60)
    assert first is not None
    assert second is not None
    assert second.epoch == first.epoch + 1
    assert await leases.renew("x", "one", first.epoch, 60) is None


async def test_processes_get_different_node_numbers(leases: Leases) -> None:
    nodes = await asyncio.gather(*(leases.lease_node(f"process-{number}", 60) for number in range(20)))
    numbers = [node.number for node in nodes]
    assert len(set(numbers)) == 20
    assert all(0 <= number < 1024 for number in numbers)
    renewed = await leases.renew(nodes[0].lease.name, nodes[0].lease.holder, nodes[0].lease.epoch, 60)
    assert renewed is not None
