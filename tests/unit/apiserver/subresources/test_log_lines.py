"""Bytes of several logs as lines in order."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from threeport.apiserver.subresources.log_lines import LONGEST_LINE, Line, in_order, rendered, split


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """As they come from the network."""
    for part in parts:
        yield part


@given(
    st.lists(st.binary(max_size=20).map(lambda each: each.replace(b"\n", b"")), max_size=8),
    st.lists(st.integers(0, 80), max_size=6),
)
async def test_lines_are_the_same_however_they_are_cut_on_the_way(lines: list[bytes], cuts: list[int]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    parts = [text[a:b] for a, b in zip(places, places[1:], strict=False)]
    assert [line async for line in split(chunks(*parts))] == lines


async def test_a_last_line_without_an_end_is_not_lost_and_an_endless_one_is_cut() -> None:
    assert [line async for line in split(chunks(b"a\nb"))] == [b"a", b"b"]
    pieces = [line async for line in split(chunks(*[b"x" * 1000] * 200))]
    assert b"".join(pieces) == b"x" * 200_000
    assert max(map(len, pieces)) <= LONGEST_LINE


async def test_lines_of_several_logs_come_in_the_order_of_time_and_a_log_keeps_its_own_order() -> None:
    async def log(*lines: tuple[bytes, bytes]) -> AsyncIterator[Line]:
        for line in lines:
            yield Line(*line)

    logs = [log((b"1", b"a"), (b"4", b"b"), (b"2", b"late")), log((b"2", b"c"), (b"3", b"d")), log()]
    assert [(n, line.text) async for n, line in in_order(logs)] == [
        (0, b"a"), (1, b"c"), (1, b"d"), (0, b"b"), (0, b"late")
    ]  # fmt: skip


def test_timestamps_show_only_for_those_who_asked() -> None:
    line = Line(b"2026-01-02T03:04:05Z", b"text")
    assert rendered(line, prefix=b"[a/b] ", timestamps=False) == b"[a/b] text\n"
    assert rendered(line, prefix=b"", timestamps=True) == b"2026-01-02T03:04:05Z text\n"
