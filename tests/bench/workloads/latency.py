"""A cluster that is far away: a TCP proxy that delivers everything later, each way half of the added round trip."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threeport.bootstrap.local.processes import LOOPBACK


class Distance:
    """Forwards connections to `target`; `seconds` of round trip may be changed at any time."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.seconds = 0.0
        self.port = 0

    def start(self) -> None:
        """Begins to listen; `port` is known then."""
        self._thread.start()
        listening = asyncio.start_server(self._serve, LOOPBACK, 0)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port = server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Ends the thread, and with it all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, there = await asyncio.open_connection(*self._target)
        try:
            await asyncio.gather(self._carry(reader, there), self._carry(answers, writer))
        finally:
            writer.transport.abort()
            there.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Many bytes may be under way at once: what is delayed is each byte, not the stream."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)
        delivering = asyncio.create_task(self._deliver(under_way, writer))
        try:
            while data := await reader.read(1 << 16):
                await under_way.put((self._loop.time() + self.seconds / 2, data))
        except OSError:
            pass
        await under_way.put((0.0, b""))
        await delivering

    async def _deliver(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while (parcel := await under_way.get())[1]:
            await asyncio.sleep(max(0.0, parcel[0] - self._loop.time()))
            if not writer.is_closing():
                writer.write(parcel[1])
        writer.close()


@contextmanager
def distance_to(host: str, port: int) -> Iterator[Distance]:
    """A way to a server, without added latency at first."""
    way = Distance((host, port))
    way.start()
    try:
        yield way
    finally:
        way.stop()
