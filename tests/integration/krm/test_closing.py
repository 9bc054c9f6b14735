"""The end of a server: what goes on beside requests ends, whatever swallows a cancellation on the way."""

from __future__ import annotations

import asyncio

from tests.integration.krm.conftest import Krm


async def swallow_one_cancellation(begun: asyncio.Event) -> None:
    """As libraries do that wait by `asyncio.wait_for` of Python 3.11 (cpython gh-86296)."""
    try:
        begun.set()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass
    await asyncio.Event().wait()


async def stubborn_task(krm: Krm) -> asyncio.Task[None]:
    """One of the tasks of the server, which does not end at the first cancellation."""
    begun = asyncio.Event()
    task = asyncio.create_task(swallow_one_cancellation(begun))
    krm.server._tasks.append(task)  # noqa: SLF001
    await begun.wait()
    return task


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again(krm: Krm) -> None:
    task = await stubborn_task(krm)
    closing = asyncio.create_task(krm.server.close())
    done, _ = await asyncio.wait({closing}, timeout=20)
    task.cancel()
    assert done


async def test_who_is_cancelled_while_closing_hears_of_it(krm: Krm) -> None:
    task = await stubborn_task(krm)
    closing = asyncio.create_task(krm.server.close())
    await asyncio.wait({closing}, timeout=0.1)
    closing.cancel()
    done, _ = await asyncio.wait({closing}, timeout=20)
    task.cancel()
    assert done
    assert closing.cancelled()
