"""Health: ``/livez`` says that the process runs, ``/readyz`` that it is of use.

Without the database it is of none. Without the broker it works on, slower: that is told as degraded, but probes must
not take the process away for it, since all others are in the same state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web

from threeport.events.service import EventsHealth
from threeport.krm.answers import json_answer
from threeport.store.records import StoreUnavailable

DATABASE_TIMEOUT: Final = 2.0
"""Seconds in which the database has to answer."""

State = Literal["ok", "degraded", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """How one part is doing, and in a few words why."""

    state: State
    detail: str = ""


class Health:
    """Answers the probes. `ping` asks the database for a sign of life, `events` how events get about."""

    def __init__(self, ping: Callable[[], Awaitable[None]], events: Callable[[], EventsHealth]) -> None:
        self._ping = ping
        self._events = events
        self.stopping = False
        """Set when the process is on its way out: it is alive, but no longer ready."""

    def routes(self) -> list[web.RouteDef]:
        """The routes of the probes, the only ones that need no authentication. ``/healthz`` is what older tools ask."""
        return [web.get("/livez", self.live), web.get("/readyz", self.ready), web.get("/healthz", self.ready)]

    async def live(self, _request: web.Request) -> web.Response:
        """200 as long as the process can answer at all."""
        return json_answer({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """200 or 503 with ``{"status": "ok|degraded|failed"}``; with ``?verbose`` or if not ok, each check."""
        checks = await self.checks()
        states = [check.state for check in checks.values()]
        state = "failed" if "failed" in states else "degraded" if "degraded" in states else "ok"
        body: dict[str, object] = {"status": state}
        if "verbose" in request.query or state != "ok":
            body["checks"] = {
                name: {"status": check.state, **({"detail": check.detail} if check.detail else {})}
                for name, check in checks.items()
            }
        return json_answer(body, code=503 if state == "failed" else 200)

    async def checks(self) -> dict[str, Check]:
        """How each part is doing."""
        events = self._events()
        age = f"last refresh began {events.refresh_age:.1f} s ago"
        oldest = f"{events.relay}: the oldest notification waits for {events.outbox_oldest_age:.1f} s"
        return {
            "process": Check("failed", "shutting down") if self.stopping else Check("ok"),
            "database": await self._database(),
            "watch-hub": Check("ok" if events.ready else "failed", age),
            "broker": Check("ok") if events.nats == "ok" else Check("degraded", "NATS is away: events come by refresh"),
            "relay": Check("ok") if events.relay == "ok" else Check("degraded", oldest),
        }

    async def _database(self) -> Check:
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT):
                await self._ping()
        except (StoreUnavailable, TimeoutError):
            return Check("failed", f"no answer within {DATABASE_TIMEOUT:g} s")
        return Check("ok")
