"""Where a request keeps its caller. The server's middleware sets it; the protocol reads it."""

from __future__ import annotations

from aiohttp import web

from threeport.krm.interfaces import Caller

CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
"""``request[CALLER] = Caller(...)`` before the request is handed to `KrmServer.handle`."""
