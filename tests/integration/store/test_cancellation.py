"""What waits for the database can be cancelled at any moment."""

from __future__ import annotations

import asyncio

from threeport.store.database import Database


async def test_who_is_cancelled_as_a_connection_comes_free_is_cancelled_and_the_connection_kept(
    postgres_dsn: str,
) -> None:
    narrow = Database(postgres_dsn, max_size=1)
    await narrow.open()

    async def background() -> None:
        await narrow.ping()
        await asyncio.Event().wait()

    try:
        for turns in range(40):
            async with narrow.reading():
                task = asyncio.create_task(background())
                await asyncio.sleep(0.01)
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task}, timeout=5)
            assert task.cancelled(), f"went on after {turns} turns of the loop"
        await narrow.ping()
    finally:
        await narrow.close()
