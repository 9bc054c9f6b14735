"""What every request gets, whatever it asks for: an id, limits, a caller, an answer that is a Status, a log line."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from threeport.apiserver.authentication import UNAUTHENTICATED_PATHS, Credentials, authenticate
from threeport.apiserver.door import Door, LeaseBook, admit_controller, is_lease
from threeport.apiserver.metrics import IN_FLIGHT, LATENCY, REFUSED, REQUESTS
from threeport.apiserver.open_watches import RETRY_AFTER, OpenWatches
from threeport.apiserver.revocation import LivingRuntimes
from threeport.apiserver.shares import Shares
from threeport.apiserver.tokens import Tokens
from threeport.common.errors import (
    ApiError,
    BadRequest,
    MethodNotAllowed,
    NotFound,
    RequestTooLarge,
    Timeout,
    TooManyRequests,
)
from threeport.krm.answers import as_api_error, error_answer
from threeport.krm.caller import CALLER
from threeport.krm.interfaces import Caller
from threeport.krm.paths import parse_target, segments_of
from threeport.krm.watch_paths import is_watch
from threeport.resources.kind import Catalog

log = structlog.stdlib.get_logger("threeport.apiserver.requests")

REQUEST_ID_HEADER: Final = "X-Request-Id"
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
CREDENTIALS: web.RequestKey[Credentials] = web.RequestKey("credentials", Credentials)

REQUEST_TIMEOUT: Final = 60
"""Seconds for a request, its body included; as in Kubernetes (kube-apiserver, ``--request-timeout``)."""

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_CLIENT_LEFT: Final = 499
"""The code in logs and metrics of a request whose client, or whose watch, was gone before the end (as in nginx)."""


@dataclass(slots=True)
class InFlight:
    """How many requests, watches not counted, are being answered, and how many may be."""

    limit: int
    count: int = 0


def observing(catalog: Catalog) -> Middleware:
    """Outermost: gives the request its id, makes every error a ``Status``, counts, and writes the log line."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        offered = request.headers.get(REQUEST_ID_HEADER, "")
        request[REQUEST_ID] = offered if _SANE_ID.fullmatch(offered) else str(uuid.uuid4())
        # Each request runs in a task of its own, so what is bound here ends with it.
        structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
        begun = time.monotonic()
        code = _CLIENT_LEFT
        try:
            response = await _answered(request, handler)
            code = response.status
            return response
        finally:
            _record(request, catalog, code, time.monotonic() - begun)

    return observe


def limiting(in_flight: InFlight) -> Middleware:
    """Refuses with 429 what is more than this process can do at once; probes are answered in any case."""

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_stream(request) or request.path in UNAUTHENTICATED_PATHS:
            return await handler(request)
        if in_flight.count >= in_flight.limit:
            REFUSED.labels("requests").inc()
            raise TooManyRequests(
                f"This API server is answering {in_flight.limit} requests already.", retry_after=RETRY_AFTER
            )
        in_flight.count += 1
        IN_FLIGHT.set(in_flight.count)
        scope = asyncio.timeout(REQUEST_TIMEOUT)
        try:
            async with scope:
                return await handler(request)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise Timeout(f"The request was not done after {REQUEST_TIMEOUT} s: see what has become of it.") from error
        finally:
            in_flight.count -= 1
            IN_FLIGHT.set(in_flight.count)

    return limit


def authenticating(tokens: Tokens, runtimes: LivingRuntimes) -> Middleware:
    """Lets nobody further whom it does not know, whether the path exists or not."""

    @web.middleware
    async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in UNAUTHENTICATED_PATHS:
            credentials = request[CREDENTIALS] = authenticate(request, tokens)
            await runtimes.check(credentials)
        return await handler(request)

    return identify


def sharing(requests: Shares, watches: Shares) -> Middleware:
    """Refuses with 429 what is more than the share of the one who calls. A lease is renewed in any case: a controller
    that is busy must not lose it."""

    @web.middleware
    async def share(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in UNAUTHENTICATED_PATHS or is_lease(request.path):
            return await handler(request)
        shares = watches if is_stream(request) else requests
        with shares.one_of(request[CREDENTIALS].identity):
            return await handler(request)

    return share


def admitting(book: LeaseBook, watches: OpenWatches) -> Middleware:
    """Innermost: says who calls and through which door, and keeps hold of watches."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in UNAUTHENTICATED_PATHS:
            return await handler(request)
        _refuse_tricks(request)
        credentials = request[CREDENTIALS]
        request[CALLER] = caller = await _caller(request, credentials, book)
        if not is_stream(request):
            return await handler(request)
        async with watches.opened(request, credentials, caller.fence):
            return await handler(request)

    return admit


def is_stream(request: web.Request) -> bool:
    """Whether the request asks for what lives long: a watch, a log that is followed, a connection to a pod. Those are
    limited in number, and end with the credentials that they began with."""
    if is_watch(request):
        return True
    last = request.path.rpartition("/")[2] if request.method == "GET" else ""
    if last == "portforward":
        return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
    return last == "log" and request.query.get("follow", "") in ("true", "1")


async def add_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Signal: every answer, a watch's too, carries the id under which the logs tell of it."""
    if REQUEST_ID in request:
        response.headers[REQUEST_ID_HEADER] = request[REQUEST_ID]


def _refuse_tricks(request: web.Request) -> None:
    """Raises `NotFound` or `BadRequest` for what no client of good will sends, before anything looks at it."""
    segments_of(request.path)
    if not request.path.isprintable():
        raise NotFound("The API has nothing at this path: it holds control characters.")
    if "\0" in request.query_string:
        raise BadRequest("The query holds a NUL character: leave it out.")


async def _caller(request: web.Request, credentials: Credentials, book: LeaseBook) -> Caller:
    door = Door.of(request.path)
    if door is None:
        return Caller(credentials.identity, request_id=request[REQUEST_ID])
    await admit_controller(credentials.identity, door, book)
    return Caller(credentials.identity, door.controller, door.shard, door.fence, request[REQUEST_ID])


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    answer = await _answer_or_error(request, handler)
    if request.writer.output_size and not answer.prepared:
        # A second answer would stand in the middle of the first: only the end of the connection tells that it is torn.
        raise ConnectionResetError("the answer has begun and cannot be completed")
    return answer


async def _answer_or_error(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ConnectionResetError:
        raise
    except web.HTTPException as error:
        return error_answer(_status_of(error, request))
    except Exception as error:
        answer = error_answer(as_api_error(error, watching=is_watch(request)))
        if answer.status == web.HTTPUnauthorized.status_code:
            answer.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        return answer


def _status_of(error: web.HTTPException, request: web.Request) -> ApiError:
    """What aiohttp itself refuses, as an error of the API."""
    match error.status:
        case 404:
            return NotFound("The API has nothing at this path: `kubectl api-resources` lists what it has.")
        case 405:
            return MethodNotAllowed(f"{request.method} is not possible at this path.")
        case 413:
            return RequestTooLarge(error.text or "The body is too large.")
        case _:
            other = ApiError(error.reason or "The request failed.")
            other.code, other.reason = error.status, error.reason or other.reason
            return other


def _record(request: web.Request, catalog: Catalog, code: int, seconds: float) -> None:
    verb, resource = _what(request, catalog)
    REQUESTS.labels(verb, resource, code).inc()
    if verb not in ("watch", "connect"):
        LATENCY.labels(verb, resource).observe(seconds)
    if request.path in UNAUTHENTICATED_PATHS and code < web.HTTPBadRequest.status_code:
        return
    credentials = request.get(CREDENTIALS)
    # The query stays out: selectors and parameters may say more than a log should.
    log.info(
        "request",
        method=request.method,
        path=request.path,
        verb=verb,
        code=code,
        milliseconds=round(seconds * 1000, 1),
        caller=credentials.identity.name if credentials else None,
    )


def _what(request: web.Request, catalog: Catalog) -> tuple[str, str]:
    """Verb and resource, from sets that do not grow with what clients send."""
    verb = "watch" if is_watch(request) else "connect" if is_stream(request) else _VERBS.get(request.method, "get")
    door = _prefix_length(request.path)
    parts = request.path[door:].strip("/").split("/")
    try:
        match parts:
            case ["api", version, *rest] if rest:
                target = parse_target(catalog, "", version, rest)
            case ["apis", group, version, *rest] if rest:
                target = parse_target(catalog, group, version, rest)
            case _:
                return verb, "other"
    except ApiError:
        return verb, "other"
    return ("list" if verb == "get" and not target.name else verb), target.kind.resource


def _prefix_length(path: str) -> int:
    try:
        door = Door.of(path)
    except NotFound:
        return 0
    return len(door.prefix) if door else 0
