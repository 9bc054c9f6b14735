"""How an operator ends."""

from __future__ import annotations

import asyncio

from threeport.controller.running import end


async def test_an_operator_that_misses_its_end_is_abandoned() -> None:
    told = asyncio.Event()

    async def deaf() -> None:
        try:
            await told.wait()
        finally:
            await asyncio.Event().wait()  # as kopf waits for a watch that has missed its cancellation

    operator = asyncio.create_task(deaf())
    told.set()
    await asyncio.wait_for(end(operator, patience=0.05), timeout=5)
    assert operator.cancelled()


async def test_an_operator_that_ends_by_itself_is_left_to_it() -> None:
    async def orderly() -> None:
        await asyncio.sleep(0.05)

    operator = asyncio.create_task(orderly())
    await end(operator, patience=5)
    assert not operator.cancelled()
