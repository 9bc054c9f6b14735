"""Errors of the API, each a Kubernetes ``Status`` that a person can act on.

Codes and reasons are those of Kubernetes (apimachinery, ``pkg/apis/meta/v1/types.go``), because its clients decide
by them whether to retry, to list again or to give up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threeport.common.types import JsonObject


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong: the field (``spec.manifests[2]``), a reason in CamelCase, and a sentence."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def as_json(self) -> JsonObject:
        return {"field": self.field, "message": self.message, "reason": self.reason}


class ApiError(Exception):
    """Base of all errors that the API answers with. `message` names the object, the field and the next step."""

    code = 500
    reason = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        name: str = "",
        causes: Sequence[Cause] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.group = ""
        self.name = name
        self.causes = tuple(causes)
        self.retry_after = retry_after

    def as_status(self) -> JsonObject:
        """The body of the answer: a ``Status`` with ``code``, ``reason``, ``message`` and ``details``."""
        details: JsonObject = {}
        if self.name:
            details["name"] = self.name
        if self.group:
            details["group"] = self.group
        if self.kind:
            details["kind"] = self.kind
        if self.causes:
            details["causes"] = [cause.as_json() for cause in self.causes]
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        return {
            "apiVersion": "v1",
            "kind": "Status",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
            "details": details,
        }


class BadRequest(ApiError):
    """The request cannot be understood: syntax, a parameter, an unknown field under strict validation."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    """The caller did not prove who it is, or holds a controller's lease that has passed to another."""

    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    """The caller is known but may not do this."""

    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    """No such object, or none that the caller may know of."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):
    """The path exists, the verb does not."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    """The answer exists in no form that the caller accepts."""

    code, reason = 406, "NotAcceptable"


class Conflict(ApiError):
    """The object has changed since it was read, or another object stands in the way."""

    code, reason = 409, "Conflict"


class AlreadyExists(ApiError):
    """The name is taken."""

    code, reason = 409, "AlreadyExists"


class Expired(ApiError):
    """The revision asked for is too old to resume from: list again."""

    code, reason = 410, "Expired"


class RequestTooLarge(ApiError):
    """The body is over the limit that the message names."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    """The body is in a form that this path does not take."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    """The object was understood and is wrong; `causes` say where."""

    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):
    """Overload or shutdown: come again after `retry_after` seconds. kopf survives this one, and no 5xx."""

    code, reason = 429, "TooManyRequests"


class BadGateway(ApiError):
    """A cluster that the API had to ask has answered with an error."""

    code, reason = 502, "BadGateway"


class ServiceUnavailable(ApiError):
    """The database is away and the caller is not a watcher, or a cluster that the API had to ask cannot be reached."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    """The request took too long, or its body did; a write may still have taken effect."""

    code, reason = 504, "Timeout"
