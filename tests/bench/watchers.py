"""Many watches of one collection while it is written: how late is each event at each watch?

python -m tests.bench.watchers [--watchers 1000] [--rate 100] [--count 1000] [--processes 2] [--kubernetes]
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from tests.bench.api import COLLECTION, create, delete, say
from tests.bench.client import LoadClient, load_client
from tests.bench.servers import installation, kubernetes
from tests.bench.usage import memory

NAME = "watched"


def measure(client: LoadClient, *, watchers: int, rate: float, count: int) -> None:
    """Prints the lag from sending a create until a watch shows it, over all watches, and the CPU time of an event."""
    figures = client.watch(
        create(NAME), path=f"{COLLECTION}?watch=true", marker=f'"{NAME}-', count=count, rate=rate, watchers=watchers
    )
    lags = "   ".join(f"p{percent} {figures.percentile(percent):.0f} ms" for percent in (50, 90, 99))
    each = ", ".join(f"{part} {micros / (count * watchers):.1f}" for part, micros in figures.cpu.items())
    used = ", ".join(f"{part} {mib:.0f}" for part, mib in memory(client.target.parts).items())
    say(f"{client.target.name}: {watchers} watches, {count / figures.seconds:.0f} creates/s: lag {lags}")
    say(f"  us of CPU for an event at a watch: {each}")
    say(f"  MiB afterwards: {used}")
    client.load(delete(NAME), count=count, clients=16)


def main() -> None:
    """Measures our API, and with ``--kubernetes`` kube-apiserver after it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("watchers", 1000), ("rate", 100), ("count", 1000), ("processes", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--kubernetes", action="store_true", help="measure kube-apiserver too")
    given = parser.parse_args()
    with ExitStack() as stack:
        targets = [stack.enter_context(installation(given.processes)).target]
        if given.kubernetes:
            targets.append(stack.enter_context(kubernetes())[0])
        for target in targets:
            client = stack.enter_context(load_client(target))
            measure(client, watchers=given.watchers, rate=given.rate, count=given.count)


if __name__ == "__main__":
    main()
