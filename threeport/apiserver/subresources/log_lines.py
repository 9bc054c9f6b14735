"""Lines of the logs of several containers as one stream: in the order of time, or as they come.

Kubernetes gives each line a timestamp if it is asked to, so the lines of many containers can be put in order; those
who did not ask for timestamps do not see them.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, NamedTuple

import aiohttp

from threeport.kube.pods import Container, Pod

LONGEST_LINE: Final = 64 * 1024
"""Bytes; what is longer goes on in the next line. The kubelet itself splits at 16 KiB."""


@dataclass(frozen=True, slots=True)
class Source:
    """One container of one pod."""

    pod: Pod
    container: Container

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others, in all its runs."""
        return self.pod.uid, self.container.name

    @property
    def prefix(self) -> bytes:
        """What its lines begin with, where it is not the only one."""
        return f"[{self.pod.name}/{self.container.name}] ".encode()


class Line(NamedTuple):
    """A line without its end, and when it was written (as text that sorts by time)."""

    time: bytes
    text: bytes


async def lines_of(content: aiohttp.StreamReader) -> AsyncGenerator[Line, None]:
    """The lines of one log, which was asked for with timestamps."""
    time = b""
    async with aclosing(split(content.iter_any())) as pieces:
        async for piece in pieces:
            first, _, rest = piece.partition(b" ")
            if _is_time(first):
                time, piece = first, rest
            yield Line(time, piece)


async def split(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Chunks as lines without their ends."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        while len(rest) > LONGEST_LINE:
            yield rest[:LONGEST_LINE]
            rest = rest[LONGEST_LINE:]
    if rest:
        yield rest


async def in_order(logs: Sequence[AsyncIterator[Line]]) -> AsyncIterator[tuple[int, Line]]:
    """The lines of several logs in the order of time, each with the number of its log."""
    heads: list[tuple[bytes, int, Line]] = []

    async def advance(number: int) -> None:
        line = await anext(logs[number], None)
        if line is not None:
            heapq.heappush(heads, (line.time, number, line))

    for number in range(len(logs)):
        await advance(number)
    while heads:
        _, number, line = heapq.heappop(heads)
        yield number, line
        await advance(number)


def rendered(line: Line, *, prefix: bytes, timestamps: bool) -> bytes:
    """The line as it is sent."""
    time = line.time + b" " if timestamps and line.time else b""
    return prefix + time + line.text + b"\n"


def _is_time(word: bytes) -> bool:
    """Whether a word is a timestamp of the kubelet: ``2026-01-02T03:04:05.678901234Z`` or with an offset."""
    return len(word) >= 20 and word[4:5] == b"-" and word[10:11] == b"T" and word[:4].isdigit()


async def next_or_none(queue: asyncio.Queue[bytes], *, seconds: float) -> bytes | None:
    """The next of the queue, None if there is none for `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await queue.get()
    except TimeoutError:
        return None
