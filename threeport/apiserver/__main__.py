"""``python -m threeport.apiserver``: the API server. Its settings are environment variables (`settings`)."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys

import structlog
import uvloop
from pydantic import ValidationError

from threeport.apiserver.keys import UnusableKey
from threeport.apiserver.logs import set_up_logging
from threeport.apiserver.node import NodeLost
from threeport.apiserver.settings import Settings
from threeport.apiserver.wiring import serve
from threeport.store.records import StoreUnavailable

log = structlog.stdlib.get_logger("threeport.apiserver")


def main() -> int:
    """Runs until SIGTERM or SIGINT; the exit code is 0 then, 2 for settings of no use, 1 for any other end."""
    set_up_logging()
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = "_".join(("THREEPORT", *map(str, problem["loc"]))).upper()
            log.error("a setting is missing or wrong", variable=name, problem=problem["msg"])
        return 2
    try:
        uvloop.run(_serve(settings))
    except (UnusableKey, ssl.SSLError, OSError) as error:
        log.error("cannot start", error=str(error))
        return 2
    except (NodeLost, StoreUnavailable) as error:
        log.error("stopped", error=str(error))
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop)


if __name__ == "__main__":
    sys.exit(main())
