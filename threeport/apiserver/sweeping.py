"""Sweeps tombstones and Events that have served their time; every process does, a little at a time."""

from __future__ import annotations

import asyncio
import random
from typing import Final

import structlog

from threeport.store.records import StoreUnavailable
from threeport.store.sweeper import Sweeper

INTERVAL: Final = 60.0
"""Seconds between sweeps, on average: processes that started together drift apart."""

log = structlog.stdlib.get_logger("threeport.apiserver.sweeping")


async def sweep_regularly(sweeper: Sweeper) -> None:
    """Sweeps until cancelled."""
    while True:
        await asyncio.sleep(INTERVAL * random.uniform(0.5, 1.5))
        try:
            swept = await sweeper.sweep()
        except StoreUnavailable as error:
            log.warning("the database could not be swept", error=str(error))
        except Exception:
            log.exception("a sweep failed; the next one tries again")
        else:
            log.debug("swept", tombstones=swept.tombstones, events=swept.events)
