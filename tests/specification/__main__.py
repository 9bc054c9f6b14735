"""The command line of the specification; see the package's docstring."""

from __future__ import annotations

import argparse
import sys

from tests.specification import __doc__ as description
from tests.specification.rules import HANDOVER, OF_THE_SHELL, OF_THE_WORLD, RULES, Config, Faults, HubName, without
from tests.specification.search import search, shortest


def main() -> None:
    """Search, and exit with 1 if a rule does not hold or is not needed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--off", action="append", default=[], choices=sorted(RULES))
    parser.add_argument("--hub", choices=("rules", "core", "ring"), default="rules")
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        write("\n".join(f"{rule:14} {text}" for rule, text in RULES.items()))
    elif options.off or options.hub == "ring":
        history = shortest(Config(options.hub, frozenset(options.off)), options.seeds)
        write("\n".join(history) if history else "no violation found")
    else:
        sys.exit(0 if everything(options.seeds) else 1)


def everything(seeds: int) -> bool:
    """All rules on, each rule off, for the model and for the real hub."""
    good = True
    hubs: tuple[tuple[HubName, tuple[str, ...]], ...] = (("rules", tuple(RULES)), ("core", OF_THE_WORLD + OF_THE_SHELL))
    for hub, rules in hubs:
        for schedule, faults in (("", Faults()), ("handover", HANDOVER)):
            found = search(Config(hub, faults=faults), seeds, stop_at_first=False)
            good &= not found.violations
            write(f"hub {hub:5} all rules on {schedule:8} violations: {found}")
        for rule in rules:
            found = search(without(rule, hub), 3000, within=60)
            good &= bool(found.violations)
            write(f"hub {hub:5} without {rule:14} violations: {found}")
    write(f"hub ring  the obvious design    violations: {search(Config('ring'), 30, stop_at_first=False)}")
    return good


def write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
