"""The aiohttp application: routes, and what every request passes on its way to them."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from threeport.apiserver.door import DOOR_PATH, LeaseBook
from threeport.apiserver.health import Health
from threeport.apiserver.leases import LeaseEndpoint
from threeport.apiserver.metrics import answer_metrics
from threeport.apiserver.open_watches import OpenWatches
from threeport.apiserver.requests import (
    InFlight,
    add_request_id,
    admitting,
    authenticating,
    limiting,
    observing,
    sharing,
)
from threeport.apiserver.revocation import LivingRuntimes
from threeport.apiserver.settings import Settings
from threeport.apiserver.shares import Shares
from threeport.apiserver.tokens import Tokens
from threeport.krm.bodies import REQUEST_LIMIT
from threeport.krm.server import KrmServer
from threeport.resources.kind import Catalog


def make_app(
    *,
    catalog: Catalog,
    server: KrmServer,
    health: Health,
    leases: LeaseEndpoint,
    tokens: Tokens,
    book: LeaseBook,
    runtimes: LivingRuntimes,
    watches: OpenWatches,
    settings: Settings,
) -> web.Application:
    """The application. What is refused first costs least: overload, then the unknown, then the unentitled."""
    requests = Shares("requests", settings.max_requests, settings.max_share)
    held = Shares("watches", settings.max_watches, settings.max_share)
    app = web.Application(
        client_max_size=REQUEST_LIMIT,
        middlewares=[
            observing(catalog),
            limiting(InFlight(settings.max_requests)),
            authenticating(tokens, runtimes),
            sharing(requests, held),
            admitting(book, watches),
        ],
    )
    app.on_response_prepare.append(add_request_id)
    app.add_routes(_routes(server, health, leases))
    return app


def _routes(server: KrmServer, health: Health, leases: LeaseEndpoint) -> Sequence[web.AbstractRouteDef]:
    return [
        *health.routes(),
        web.get("/metrics", answer_metrics),
        *leases.routes(),
        *server.routes(DOOR_PATH),
        *server.routes(),
    ]
