"""Background tasks: they end when they are told to."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from threeport.events.tasks import start, stop


async def test_a_task_that_swallows_its_first_cancellation_is_stopped_all_the_same() -> None:
    swallowed = asyncio.Event()

    async def goes_on() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        swallowed.set()
        await asyncio.Event().wait()

    task = start(goes_on(), "goes-on")
    await asyncio.sleep(0)
    await asyncio.wait_for(stop([task]), 10)
    assert swallowed.is_set()
    assert task.cancelled()


async def test_stopping_waits_for_what_a_task_does_at_its_end() -> None:
    ended = asyncio.Event()

    async def ends_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            ended.set()

    task = start(ends_slowly(), "ends-slowly")
    await asyncio.sleep(0)
    await stop([task])
    assert ended.is_set()
