"""From an answer of the server to an exception: `Status` objects become subclasses of `ApiError`."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from threeport.common import errors
from threeport.common.errors import ApiError, Cause
from threeport.common.types import JsonObject

_BY_REASON: Mapping[str, type[ApiError]] = {
    kind.reason: kind
    for kind in (
        errors.BadRequest, errors.Unauthorized, errors.Forbidden, errors.NotFound, errors.MethodNotAllowed,
        errors.NotAcceptable, errors.Conflict, errors.AlreadyExists, errors.Expired, errors.RequestTooLarge,
        errors.UnsupportedMediaType, errors.Invalid, errors.TooManyRequests, errors.ServiceUnavailable,
    )
}  # fmt: skip
_BY_CODE: Mapping[int, type[ApiError]] = {
    **{kind.code: kind for kind in _BY_REASON.values()},
    409: errors.Conflict,
    502: errors.ServiceUnavailable,
    504: errors.ServiceUnavailable,
}

MESSAGE_LIMIT = 1000
"""Characters of an answer that is no Status which are kept in the error's message."""


class Unreachable(ApiError):
    """The API did not answer: no connection, a bad certificate, a timeout. There is no Status, so no code."""

    code = 0
    reason = "Unreachable"


class NoApi(Unreachable):
    """Something else answers where the API should: a web page of a proxy, say."""


def has_answered(error: ApiError) -> bool:
    """Whether a server has said so, right or wrong, and not the way to it."""
    return isinstance(error, NoApi) or not isinstance(error, Unreachable)


def error_from_answer(status: int, body: bytes, retry_after: str | None = None) -> ApiError:
    """The exception for an answer of HTTP code `status`, with the message of its Status, if `body` is one."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if isinstance(parsed, dict) and parsed.get("kind") == "Status":
        return error_from_status(parsed, code=status, retry_after=retry_after)
    text = body[:MESSAGE_LIMIT].decode(errors="replace").strip()
    kind = _BY_CODE.get(status, ApiError)
    return _with_code(kind(f"the server answered {status}: {text}", retry_after=_seconds(retry_after)), status)


def error_from_status(status: JsonObject, *, code: int | None = None, retry_after: str | None = None) -> ApiError:
    """The exception for a decoded Status (also inside an ERROR event of a watch)."""
    found = status.get("code") or code or 500
    kind = _BY_REASON.get(str(status.get("reason"))) or _BY_CODE.get(found, ApiError)
    details = status.get("details") or {}
    causes = [
        Cause(cause.get("field", ""), cause.get("message", ""), cause.get("reason", ""))
        for cause in details.get("causes") or ()
    ]
    error = kind(
        status.get("message") or f"the server answered {found}",
        kind=details.get("kind", ""),
        name=details.get("name", ""),
        causes=causes,
        retry_after=details.get("retryAfterSeconds") or _seconds(retry_after),
    )
    return _with_code(error, found)


def _with_code(error: ApiError, code: int) -> ApiError:
    """Keeps the code of the answer where no subclass has it."""
    if type(error) is ApiError:
        error.code = code
    return error


def _seconds(header: str | None) -> int | None:
    """``Retry-After`` in seconds; its other form, a date, is not used by Kubernetes."""
    return int(header) if header and header.isdigit() else None
