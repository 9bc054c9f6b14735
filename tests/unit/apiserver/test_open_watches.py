"""Open watches: each ends once, for the first reason that it is given."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import make_mocked_request

from threeport.apiserver.authentication import Credentials
from threeport.apiserver.open_watches import OpenWatches
from threeport.common.errors import TooManyRequests, Unauthorized
from threeport.krm.interfaces import Identity
from threeport.store.records import Fence

ADMIN = Credentials(Identity("admin"))


@contextlib.asynccontextmanager
async def a_watch(
    watches: OpenWatches, leave: asyncio.Event, leaving: asyncio.Event
) -> AsyncIterator[asyncio.Task[None]]:
    """A watch that takes until `leave` to clean up after itself."""

    request = make_mocked_request("GET", "/")
    request.writer.output_size = 0

    async def watch() -> None:
        async with watches.opened(request, ADMIN, Fence("controllers/a/0-of-1", 1)):
            try:
                await asyncio.Event().wait()
            finally:
                leaving.set()
                await leave.wait()

    task = asyncio.create_task(watch())
    while not watches.holders():
        await asyncio.sleep(0)
    yield task
    leave.set()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_watch_that_is_ending_already_can_be_cut_again_and_tells_the_first_reason() -> None:
    watches, leave, leaving = OpenWatches(10), asyncio.Event(), asyncio.Event()
    async with a_watch(watches, leave, leaving) as task:
        assert watches.cut(Unauthorized("the lease is over")) == 1
        await leaving.wait()
        watches.cut(TooManyRequests("the server is stopping"))
        leave.set()
        with pytest.raises(Unauthorized, match="the lease is over"):
            await task
    assert not watches.holders()
