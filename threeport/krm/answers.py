"""Answers over HTTP: JSON bodies, warnings, and errors as ``Status``."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import orjson
from aiohttp import web

from threeport.common.errors import (
    ApiError,
    BadRequest,
    Conflict,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
    Unauthorized,
)
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind
from threeport.store.records import LeaseLost, StaleRevision, StoreBusy, StoreUnavailable, TookTooLong, Unstorable

logger = logging.getLogger(__name__)

JSON = "application/json"
YAML = "application/yaml"
RETRY_AFTER = 1
"""Seconds after which a client may come again when the database is away."""

_LONGEST_WARNING = 256
_COMPRESSED_FROM = 128 * 1024
"""Bytes of an answer, as in Kubernetes (apiserver, ``defaultGzipThresholdBytes``)."""
_THIS_MACHINE = ("127.0.0.1", "::1", None)


def json_answer(body: str | bytes | FrozenJson, *, code: int = 200, warnings: Sequence[str] = ()) -> web.Response:
    """An answer with a JSON body, given as text or as a value to encode, and a Warning header for each warning."""
    raw = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else orjson.dumps(body)
    answer = bytes_answer(raw, JSON, code=code)
    add_warnings(answer, warnings)
    return answer


def bytes_answer(raw: bytes, media_type: str, *, code: int = 200) -> web.Response:
    """An answer with a body of the given type."""
    # Should it be compressed, a thread does it.
    return web.Response(body=raw, status=code, content_type=media_type, zlib_executor_size=_COMPRESSED_FROM)


def add_warnings(answer: web.StreamResponse, warnings: Sequence[str]) -> None:
    """Says each warning once, in a header."""
    for warning in dict.fromkeys(warnings):
        answer.headers.add("Warning", f'299 - "{_quotable(warning)}"')


def is_worth_compressing(request: web.Request, answer: web.Response) -> bool:
    """Whether a client that takes gzip should get it: to clients on this machine it costs more than it saves."""
    accepts = "gzip" in request.headers.get("Accept-Encoding", "")
    return accepts and request.remote not in _THIS_MACHINE and (answer.content_length or 0) > _COMPRESSED_FROM


def _quotable(text: str) -> str:
    """Text that fits between the quotes of a header (RFC 9110): printable ASCII, quotes and backslashes escaped."""
    plain = text.encode("ascii", "replace").decode()
    printable = "".join(char if char.isprintable() else " " for char in plain)[:_LONGEST_WARNING]
    return printable.replace("\\", "\\\\").replace('"', '\\"')


def error_answer(error: ApiError) -> web.Response:
    """The answer for an error: its ``Status``, and Retry-After where it makes sense to come again."""
    answer = json_answer(error.as_status(), code=error.code)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def as_api_error(error: Exception, *, watching: bool) -> ApiError:
    """What any exception becomes for the client. `watching`: the request is a list or watch.

    kopf ends on 5xx and 403 answers to those two, but survives 429: so that is what they get while the database is
    away. An exception that nobody foresaw is logged with its traceback and answered without its text.
    """
    match error:
        case ApiError():
            return error
        case StoreUnavailable():
            return _without_store(error, watching=watching)
        case Unstorable():
            return BadRequest(str(error))
        case LeaseLost():
            return Unauthorized(f"the lease {error.fence.lease} has passed to another holder; acquire it anew")
        case ConnectionError():
            return BadRequest("the client left before its request was complete")
        case StaleRevision():
            return Conflict(f"{error.key.resource} {error.key.name!r} keeps changing; read it again and retry")
    logger.error("Unforeseen error in a request", exc_info=error)
    return ApiError("the server failed to handle the request; its log says why")


def _without_store(error: StoreUnavailable, *, watching: bool) -> ApiError:
    match error:
        case TookTooLong():
            message = f"nothing was changed: {error}; ask for less at once (fewer objects, a limit), or try again"
            answer: type[ApiError] = Timeout
        case StoreBusy():
            message, answer = f"nothing was changed: {error}; try again", ServiceUnavailable
        case _:
            message, answer = "the database cannot be reached; try again shortly", ServiceUnavailable
    return (TooManyRequests if watching else answer)(message, retry_after=RETRY_AFTER)


def success(kind: Kind, name: str, uid: str) -> JsonObject:
    """The ``Status`` that says that an object is gone."""
    details = {"name": name, "kind": kind.plural, "uid": uid}
    if kind.group:
        details["group"] = kind.group
    return {"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success", "details": details}
