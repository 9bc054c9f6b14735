"""The same as the test, round after round for as long as wanted: ``scripts/soak``.

Each round has a seed of its own, is told as one line, and is checked before the next begins. Its faults can be had
again with ``--seed``; what writers, watchers and the machine make of them differs from time to time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.integration.exactness.checker import check
from tests.integration.exactness.run import Result, run
from tests.integration.exactness.servers import Site

ROUND = 40.0
"""Seconds of faults per round."""


def main() -> None:
    """Soak; exits with 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, help="of the first round; later rounds count on (default: any)")
    parser.add_argument("--round", type=float, default=ROUND, metavar="SECONDS", help="length of a round")
    parser.add_argument("--directory", type=Path, help="for data, logs and the histories of failed rounds")
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    directory = options.directory or Path(tempfile.mkdtemp(prefix="threeport-soak-"))
    directory.mkdir(parents=True, exist_ok=True)
    tell(f"seed {seed}, {options.minutes:g} minutes, data in {directory}")
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)  # the servers end with us, also in the background
    sys.exit(0 if asyncio.run(soak(seed, options.minutes * 60, options.round, directory)) else 1)


async def soak(seed: int, seconds: float, length: float, directory: Path) -> bool:
    """Rounds of `length` seconds until `seconds` are over; whether all was well."""
    end, total, rules = time.monotonic() + seconds, Counter[str](), Counter[str]()
    slowest, rounds = 0.0, 0
    with Site(directory) as site:
        while time.monotonic() < end:
            result = await run(site, seed, seconds=min(length, max(8.0, end - time.monotonic())))
            rules += judge(result, directory)
            total += result.figures()
            slowest, rounds, seed = max(slowest, result.settled or 0.0), rounds + 1, seed + 1
    tell(f"\n{rounds} rounds; slowest to settle: {slowest:.1f} s")
    for name, count in sorted(total.items()):
        tell(f"{count:>9}  {name}")
    tell(f"violations: {dict(rules) or 'none'}")
    return not rules


def judge(result: Result, directory: Path) -> Counter[str]:
    """Tell of a round; the violations by rule."""
    history, figures, found = result.history, result.figures(), check(result.history)
    settled = "never settled" if result.settled is None else f"settled in {result.settled:.1f} s"
    tell(
        f"seed {history.seed}: {figures['faults']} faults, {figures['writes']} writes,"
        f" {figures['writes acknowledged']} acknowledged, {figures['writes unknown']} unknown,"
        f" {figures['events']} events, {settled}: {len(found)} violations"
    )
    if found:
        path = directory / f"history-{history.seed}.txt"
        path.write_text("\n".join((*map(str, found), "", *history.lines(), "")))
        for violation in found[:5]:
            tell(f"    {violation}")
        tell(f"    all of it: {path}")
    return Counter(violation.rule for violation in found)


def tell(text: str) -> None:
    """Say something now."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
