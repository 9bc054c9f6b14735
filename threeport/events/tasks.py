"""Background tasks that do not die unnoticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable

logger = logging.getLogger(__name__)

CANCEL_AGAIN = 1.0
"""Seconds after which a task that has not ended is cancelled again: `wait_for` of Python 3.11, by which NATS' client
waits, swallows a cancellation that comes together with the answer."""


def start(coroutine: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
    """Run a coroutine that is to run until it is cancelled; should it fail, the log says so."""
    task = asyncio.create_task(coroutine, name=name)
    task.add_done_callback(_report)
    return task


async def stop(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("background task %s has failed and will not come back", task.get_name(), exc_info=error)
