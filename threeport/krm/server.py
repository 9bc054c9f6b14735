"""The protocol as one entry point: a request and its path in, an answer out, for any catalog, store and event source.

A server mounts it once or several times (under a controller's door, under the path of a simulated cluster), because the
path is handed over separately from the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from threeport import __version__
from threeport.common.errors import BadRequest, MethodNotAllowed, NotAcceptable, NotFound
from threeport.events.tasks import stop
from threeport.krm import reviews
from threeport.krm.about import KUBERNETES_VERSION, About, is_about_server
from threeport.krm.answers import JSON, as_api_error, error_answer, json_answer
from threeport.krm.bodies import read_object
from threeport.krm.caller import CALLER
from threeport.krm.garbage import GarbageCollector
from threeport.krm.interfaces import Admitter, Authorizer, Caller, EventSource, ObjectStore, Secrecy
from threeport.krm.namespaces import Namespaces
from threeport.krm.negotiation import prefers_yaml
from threeport.krm.objects import Objects
from threeport.krm.paths import parse_target, segments_of
from threeport.krm.reading.reader import Reader
from threeport.krm.reviews import Reviews
from threeport.krm.services import Services, SubresourceHandler
from threeport.krm.views import Views
from threeport.krm.watch_paths import is_watch, without_prefix
from threeport.krm.watching.watches import Watches
from threeport.krm.writing.writer import Writer
from threeport.krm.yaml_answers import in_yaml
from threeport.resources.kind import Catalog
from threeport.resources.model import GROUP, VERSION
from threeport.store.ownership import Ownership
from threeport.store.records import StoredObject

ROOTS = ("api", "apis", "openapi", "version")
"""The first parts of all paths that are served."""

_ALWAYS_JSON = ("openapi", "version")
_TRANSACTIONS = ["apis", GROUP, VERSION, "transactions"]


class KrmServer:
    """Serves the kinds of a catalog. The caller of each request is expected in ``request[CALLER]``.

    `start` and `close` run what goes on beside requests: the end of deleted namespaces, checks of open watches and,
    given the `ownership` of the same database, garbage collection.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: ObjectStore,
        events: EventSource,
        *,
        authorizer: Authorizer,
        secrecy: Secrecy,
        admitters: Sequence[Admitter] = (),
        subresources: Mapping[tuple[str, str], SubresourceHandler] | None = None,
        transactions: bool = False,
        namespace_grace: float = 6.0,
        ownership: Ownership | None = None,
        git_version: str = f"v{'.'.join(KUBERNETES_VERSION)}.0+threeport-{__version__}",
    ) -> None:
        services = Services(
            catalog=catalog,
            store=store,
            events=events,
            authorizer=authorizer,
            secrecy=secrecy,
            views=Views(secrecy),
            admitters=admitters,
            subresources=subresources or {},
            transactions=transactions,
            namespace_grace=namespace_grace,
            garbage_collector=ownership is not None,
            written=self.notice,
        )
        self._services = services
        self._about = About(services, git_version)
        self._garbage = GarbageCollector(services, ownership) if ownership else None
        self._reviews = Reviews(catalog, authorizer)
        self._namespaces = Namespaces(services)
        reader = Reader(services)
        self._watches = Watches(services, reader)
        self._objects = Objects(services, reader, Writer(services, self._namespaces), self._watches)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def open_watches(self) -> int:
        """How many watches are being served."""
        return len(self._watches)

    async def start(self) -> None:
        """Begins what goes on beside requests."""
        running = [self._namespaces.run, self._watches.check, *([self._garbage.run] if self._garbage else [])]
        self._tasks = [asyncio.create_task(run()) for run in running]

    def notice(self, objects: Sequence[StoredObject]) -> None:
        """Tells the garbage collector of writes that were made past the protocol."""
        if self._garbage is not None:
            self._garbage.notice(objects)

    async def close(self) -> None:
        """Ends all watches, so that clients resume them elsewhere, and what `start` began."""
        self._watches.close()
        await stop(self._tasks)

    def cut_watches(self, of: Callable[[Caller], bool]) -> None:
        """Ends the watches of some callers: of a controller whose lease has passed on, say."""
        self._watches.cut(of)

    def routes(self, prefix: str = "") -> list[web.RouteDef]:
        """Routes that serve the protocol below `prefix`, which may hold variables."""
        return [web.route("*", f"{prefix}/{{krm_path:(?:{'|'.join(ROOTS)})(?:/.*)?}}", self._handle_route)]

    async def _handle_route(self, request: web.Request) -> web.StreamResponse:
        return await self.handle(request, request.match_info["krm_path"])

    async def handle(self, request: web.Request, path: str) -> web.StreamResponse:
        """Answers a request for `path`, which begins with one of `ROOTS`. Errors become ``Status`` answers."""
        accept = request.headers.get("Accept")
        try:
            answer = await self._answer(request, path, accept)
        except Exception as error:
            watching = request.method == "GET" and (_is_list(path) or is_watch(request))
            answer = error_answer(as_api_error(error, watching=watching))
        if isinstance(answer, web.Response) and prefers_yaml(accept) and not path.startswith(_ALWAYS_JSON):
            return await in_yaml(answer)
        return answer

    async def _answer(self, request: web.Request, path: str, accept: str | None) -> web.StreamResponse:
        if "\0" in path or "\0" in "".join(request.query.values()):
            raise BadRequest("the path or the query holds a NUL character")
        if is_watch(request) and prefers_yaml(accept):
            raise NotAcceptable(f"watches are streams of {JSON}; send Accept: {JSON}")
        request, segments = without_prefix(request, segments_of(path))
        return await self._dispatch(request, request[CALLER], segments)

    async def _dispatch(self, request: web.Request, caller: Caller, path: list[str]) -> web.StreamResponse:
        match path:
            case ["api" | "apis" | "openapi" | "version", *_] if is_about_server(path):
                if request.method not in ("GET", "HEAD"):
                    raise MethodNotAllowed(f"{request.method} is not possible here; use GET")
                return self._about.answer(request, caller, path)
            case _ if path == _TRANSACTIONS and self._services.transactions:
                if request.method != "POST":
                    raise MethodNotAllowed("transactions can only be posted")
                return await self._objects.transaction(request, caller)
            case ["apis", reviews.AUTHORIZATION | reviews.AUTHENTICATION as group, reviews.VERSION, plural] if (
                request.method == "POST"
            ):
                body = await read_object(request)
                return json_answer(await self._reviews.answer(caller, group, plural, body), code=201)
            case ["api", version, *rest]:
                return await self._objects.answer(
                    request, caller, parse_target(self._services.catalog, "", version, rest)
                )
            case ["apis", group, version, *rest]:
                target = parse_target(self._services.catalog, group, version, rest)
                return await self._objects.answer(request, caller, target)
        raise NotFound("the server could not find the requested resource")


def _is_list(path: str) -> bool:
    """Whether a GET of this path is a list or watch: it names a collection."""
    segments = path.strip("/").split("/")
    rest = segments[2:] if segments[0] == "api" else segments[3:]
    return len(rest) in (1, 3)
