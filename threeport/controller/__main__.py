"""``python -m threeport.controller NAME...``: runs controllers, each in a thread with an event loop of its own.

A thread each, because kopf ends every task of its loop when an operator stops, and controllers stop and start anew
each on its own (a lost lease, an API that was away).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import kopf

from threeport.client import ConfigError
from threeport.controller.environment import ControllerSettings
from threeport.controller.logs import configure_logs
from threeport.controller.metrics import serve_metrics
from threeport.controller.registry import load_registry
from threeport.controller.running import run_controller

logger = logging.getLogger("threeport.controller")

LOOKUPS = 64
"""Names that are looked up at the same time, each by a thread that waits: those of clusters whose name servers are gone
must leave room for the others, and for the name of the API. Python has 6 on two processors."""

STOPPING = 30.0
"""Seconds for all controllers to stop after a signal."""


class ControllerThread(threading.Thread):
    """One controller. `halt` makes it stop."""

    def __init__(self, name: str, registry: kopf.OperatorRegistry, settings: ControllerSettings) -> None:
        super().__init__(name=name, daemon=True)
        self._registry = registry
        self._settings = settings
        self._loop = new_loop()
        self._halt = asyncio.Event()
        self.ended = threading.Event()

    def run(self) -> None:
        """Runs the controller until it is told to halt."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(run_controller(self.name, self._registry, self._settings, self._halt))
        finally:
            self.ended.set()

    def halt(self) -> None:
        """Tells the controller to stop; call from any thread."""
        self._loop.call_soon_threadsafe(self._halt.set)


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop in which `LOOKUPS` names may be looked up at the same time."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup"))
    return loop


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the controllers that are named until SIGTERM or SIGINT. Returns the exit code: 1 if one of them died."""
    parser = argparse.ArgumentParser(prog="python -m threeport.controller", description="Runs Threeport controllers.")
    parser.add_argument("names", nargs="+", metavar="NAME", help="workload, kubernetes-runtime, ...")
    names = list(dict.fromkeys(parser.parse_args(arguments).names))
    configure_logs()
    try:
        settings = ControllerSettings.from_environment()
        registries = {name: load_registry(name) for name in names}
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 # the last word of a program that cannot start
        return 2
    if settings.metrics_port:
        serve_metrics(settings.metrics_port)
    return _run([ControllerThread(name, registry, settings) for name, registry in registries.items()])


def _run(threads: Sequence[ControllerThread]) -> int:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    for thread in threads:
        thread.start()
    while not told.wait(0.5):
        if any(thread.ended.is_set() for thread in threads):
            logger.error("A controller died; the process ends, to be started anew.")
            return 1
    for thread in threads:
        thread.halt()
    for thread in threads:
        thread.join(STOPPING)
    return 0


if __name__ == "__main__":
    sys.exit(main())
