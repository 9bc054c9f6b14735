"""The same as the test, round after round for as long as wanted: ``scripts/soak``.

Each round has a seed of its own, is told as one line, and is checked before the next begins. Its faults can be had
again with ``--seed``; what writers, watchers and the machine make of them differs from time to time.

The first third of the time goes with short limits (`strained_process`) and longer rounds, so that buffers run over and
revisions and tombstones expire. One process is never killed, so that a leak shows in the peaks of its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.integration.exactness.checker import check
from tests.integration.exactness.run import Result, run
from tests.integration.exactness.servers import Site

ROUND = 40.0
"""Seconds of faults per round."""
LONG_ROUND = 120.0
"""With short limits: longer than revisions and tombstones live then."""
SHORT_PART = 1 / 3
FILLER = 16_000
"""Bytes in each object with short limits: a client that does not read has the process's buffers full soon."""
BROKEN_IN_A_ROW = 3
MIB = 1024 * 1024


@dataclass
class Tally:
    """What the rounds so far have come to; written to a file after each, so that an hour that is cut short counts."""

    file: Path
    begun: float = field(default_factory=time.monotonic)
    rounds: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    broken: int = 0
    """Rounds that came to no end: a server did not start, say."""
    broken_in_a_row: int = 0

    @property
    def all_is_well(self) -> bool:
        """Whether every promise was kept, and there was a round to keep it in."""
        return not self.rules and not self.broken and bool(self.rounds)

    def add(self, line: str, result: Result | None, rules: Counter[str]) -> None:
        """One more round; `result` None if it came to no end."""
        self.rounds.append(line)
        self.rules += rules
        self.broken += result is None
        self.broken_in_a_row = 0 if result else self.broken_in_a_row + 1
        if result:
            self.figures += result.figures()
            self.slowest = max(self.slowest, result.settled or 0.0)
        self.file.write_text("\n".join((*self.rounds, *self.summary(), "")))

    def summary(self) -> list[str]:
        """All rounds together."""
        minutes = (time.monotonic() - self.begun) / 60
        return [
            "",
            f"{len(self.rounds)} rounds in {minutes:.0f} minutes; slowest to settle: {self.slowest:.1f} s",
            *(f"{count:>9}  {name}" for name, count in sorted(self.figures.items())),
            f"rounds that came to no end: {self.broken}",
            f"violations: {dict(self.rules) or 'none'}",
        ]


def main() -> None:
    """Soak; exits with 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, help="of the first round; later rounds count on (default: any)")
    parser.add_argument("--round", type=float, default=ROUND, metavar="SECONDS", help="length of a round")
    parser.add_argument("--directory", type=Path, help="for data, logs, the summary and the histories of failed rounds")
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    directory = options.directory or Path(tempfile.mkdtemp(prefix="threeport-soak-"))
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        parser.error(f"{directory} is not empty: servers of another run would not know the passwords of this one")
    tally = Tally(directory / "summary.txt")
    tell(f"seed {seed}, {options.minutes:g} minutes, data in {directory}, summary in {tally.file}")
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)  # the servers end with us, also in the background
    try:
        asyncio.run(soak(seed, options.minutes * 60, options.round, directory, tally))
    finally:
        tell("\n".join(tally.summary()))
    sys.exit(0 if tally.all_is_well else 1)


async def soak(seed: int, seconds: float, length: float, directory: Path, tally: Tally) -> None:
    """Rounds of `length` seconds, longer ones first, until `seconds` are over."""
    with Site(directory) as site:
        end = time.monotonic() + seconds  # not before: servers start slowly on a busy machine
        while (left := end - time.monotonic()) > 0 and tally.broken_in_a_row < BROKEN_IN_A_ROW:
            short = left > seconds * (1 - SHORT_PART)
            await asyncio.to_thread(site.use_short_limits, short)
            lasts = min(max(length, LONG_ROUND) if short else length, max(8.0, left))
            await one_round(site, seed, lasts, directory, tally, filler=FILLER if short else 0)
            seed += 1


async def one_round(site: Site, seed: int, seconds: float, directory: Path, tally: Tally, *, filler: int) -> None:
    """A round, told and counted."""
    before = site.ran_over()
    async with peaks(site) as memory:
        try:
            result = await run(site, seed, seconds=seconds, filler=filler)
        except Exception as error:  # whatever it was: the other rounds are worth having
            line = f"seed {seed}: BROKEN\n{''.join(traceback.format_exception(error))}"
            tell(line)
            tally.add(line, None, Counter())
            await asyncio.to_thread(site.revive)
            return
    extra = f", {site.ran_over() - before} watches ran over" if filler else ""
    line, rules = judge(result, directory, f"{extra}, MiB at most {' '.join(f'{mib:.0f}' for mib in memory)}")
    tally.add(line, result, rules)


@asynccontextmanager
async def peaks(site: Site) -> AsyncIterator[list[float]]:
    """MiB that each API process holds at most while the context lasts."""
    most = [0.0] * len(site.processes)

    async def look() -> None:
        while True:
            for index, process in enumerate(site.processes):
                with suppress(psutil.Error):
                    if process.pid is not None:
                        most[index] = max(most[index], psutil.Process(process.pid).memory_info().rss / MIB)
            await asyncio.sleep(0.5)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()


def judge(result: Result, directory: Path, extra: str) -> tuple[str, Counter[str]]:
    """Tell of a round; its line, and the violations by rule."""
    history, figures, found = result.history, result.figures(), check(result.history)
    settled = "never settled" if result.settled is None else f"settled in {result.settled:.1f} s"
    line = (
        f"seed {history.seed}: {figures['faults']} faults, {figures['writes']} writes,"
        f" {figures['writes acknowledged']} acknowledged, {figures['writes unknown']} unknown,"
        f" {figures['events']} events, {settled}{extra}: {len(found)} violations"
    )
    tell(line)
    if found:
        path = directory / f"history-{history.seed}.txt"
        path.write_text("\n".join((*map(str, found), "", *history.lines(), "")))
        for violation in found[:5]:
            tell(f"    {violation}")
        tell(f"    all of it: {path}")
    return line, Counter(violation.rule for violation in found)


def tell(text: str) -> None:
    """Say something now."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
