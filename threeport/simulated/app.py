"""The aiohttp application: simulated clusters below ``/clusters/<name>``, and making and removing them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from threeport.common.errors import Unauthorized
from threeport.krm.answers import as_api_error, error_answer, json_answer
from threeport.krm.bodies import REQUEST_LIMIT
from threeport.krm.caller import CALLER
from threeport.krm.interfaces import Caller
from threeport.simulated.clusters import Clusters
from threeport.simulated.tokens import bearer_token, is_same

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ClustersApp:
    """Routes requests to clusters. Only bearers of the admin token make and remove them."""

    def __init__(self, clusters: Clusters, admin_token: str, *, base_url: Callable[[], str]) -> None:
        self._clusters = clusters
        self._admin_token = admin_token
        self._base_url = base_url

    def build(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=REQUEST_LIMIT, middlewares=[_errors])
        app.add_routes(
            [
                web.get("/healthz", self._healthy),
                web.get("/readyz", self._healthy),
                web.get("/clusters", self._list),
                web.put("/clusters/{cluster}", self._ensure),
                web.get("/clusters/{cluster}", self._get),
                web.delete("/clusters/{cluster}", self._remove),
                web.get("/clusters/{cluster}/{probe:(?:livez|readyz|healthz)}", self._probe),
                web.route("*", "/clusters/{cluster}/{path:.+}", self._serve),
            ]
        )
        return app

    async def _healthy(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _probe(self, request: web.Request) -> web.Response:
        _ = self._clusters[request.match_info["cluster"]]
        return web.Response(text="ok")

    async def _list(self, request: web.Request) -> web.Response:
        self._require_admin(request)
        return json_answer({"clusters": [self._described(name) for name in self._clusters.names()]})

    async def _get(self, request: web.Request) -> web.Response:
        self._require_admin(request)
        return json_answer(self._described(self._clusters[request.match_info["cluster"]].name))

    async def _ensure(self, request: web.Request) -> web.Response:
        self._require_admin(request)
        cluster = await self._clusters.ensure(request.match_info["cluster"])
        return json_answer(self._described(cluster.name))

    async def _remove(self, request: web.Request) -> web.Response:
        self._require_admin(request)
        await self._clusters.remove(request.match_info["cluster"])
        return json_answer({})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        token = bearer_token(request)
        name = request.match_info["cluster"]
        if name not in self._clusters.names():
            self._require_admin(request)
        cluster = self._clusters[name]
        request[CALLER] = Caller(cluster.tokens.identity_of(token))
        return await cluster.server.handle(request, request.match_info["path"])

    def _described(self, name: str) -> dict[str, str]:
        return {"name": name, "endpoint": f"{self._base_url()}/clusters/{name}"}

    def _require_admin(self, request: web.Request) -> None:
        if not is_same(bearer_token(request), self._admin_token):
            raise Unauthorized("only the administrator of simulated clusters may do this")


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors become ``Status`` answers; those of aiohttp's own routing stay."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:
        return error_answer(as_api_error(error, watching="watch" in request.query))
