"""Names whose servers do not answer, of clusters that are gone, keep no other name from being found."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from threeport.controller.__main__ import new_loop

SILENT = 40
"""Names that nobody answers for: more than the threads that Python has for such things."""


def test_names_that_nobody_answers_for_keep_no_other_from_being_found(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, look_up = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: str, *more: Any, **options: Any) -> Any:
        if host.endswith(".gone.example.com"):
            answered.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return look_up(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def look_up_all() -> None:
        loop = asyncio.get_running_loop()
        gone = [asyncio.ensure_future(loop.getaddrinfo(f"{n}.gone.example.com", 443)) for n in range(SILENT)]
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(20):
                assert await loop.getaddrinfo("127.0.0.1", 443)
            assert not any(one.done() for one in gone)
        finally:
            answered.set()
            await asyncio.gather(*gone, return_exceptions=True)

    loop = new_loop()
    try:
        loop.run_until_complete(look_up_all())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
