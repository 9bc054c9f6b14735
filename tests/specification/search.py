"""Many runs: is there one in which something is lost?"""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple

from tests.specification.rules import Config
from tests.specification.world import World


class Found(NamedTuple):
    """What a search has come to."""

    tried: int
    violations: Counter[str]
    """Kind of violation -> number of runs that had one."""
    first_seed: int | None

    def __str__(self) -> str:
        kinds = "/".join(self.violations)
        return f"{kinds} in {self.tried} runs, first seed {self.first_seed}" if kinds else f"none in {self.tried} runs"


def search(config: Config, seeds: int, *, stop_at_first: bool = True, within: float = float("inf")) -> Found:
    """Run seeds 0, 1, ... until a violation is found (or all the same), at most `within` seconds."""
    violations: Counter[str] = Counter()
    first, tried, deadline = None, 0, time.monotonic() + within
    for seed in range(seeds):
        if time.monotonic() > deadline:
            break
        tried += 1
        found = World(config, seed).run()
        violations.update(set(found))
        if found and first is None:
            first = seed
            if stop_at_first:
                break
    return Found(tried, violations, first)


def shortest(config: Config, seeds: int) -> list[str] | None:
    """The shortest history among those that violate, for people to read."""
    best: list[str] | None = None
    for seed in range(seeds):
        world = World(config, seed, trace=True)
        if world.run() and world.trace is not None and (best is None or len(world.trace) < len(best)):
            best = [*world.trace, f"seed {seed}: {dict(world.violations)}"]
    return best
