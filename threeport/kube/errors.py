"""What can go wrong with a cluster, sorted by what to do about it.

Controllers ask only two things: is it worth trying again without anybody changing anything (`temporary`), and what
to tell the person who looks (`reason` for programs, the message for people).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from typing import Final

import aiohttp
import orjson
from kubernetes.aio.client.exceptions import ApiException

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.repeated_values import without_values


class ClusterError(Exception):
    """Base. The message is a sentence that names the object and, where there is one, the next step."""

    reason = "ClusterError"
    temporary = True
    retry_after: float | None = None
    """Seconds after which it is worth trying again, where the cluster says so."""


class ClusterUnreachable(ClusterError):
    """No connection, no answer in time, or the cluster is too busy to answer."""

    reason = "ClusterUnreachable"


class ClusterBusy(ClusterUnreachable):
    """The cluster is there and asks to come back: it has too much to do, or has just begun to serve a kind."""

    reason = "ClusterBusy"

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ClusterFailed(ClusterError):
    """The cluster answered with an error of its own, such as a webhook that is down."""

    reason = "ClusterFailed"


class AccessDenied(ClusterError):
    """The cluster does not accept the credentials, or they do not allow what was asked."""

    reason = "AccessDenied"


class KindUnknown(ClusterError):
    """The cluster has no such kind, yet: its CustomResourceDefinition may be on its way."""

    reason = "KindUnknown"


class QuotaExceeded(ClusterError):
    """A quota of the namespace is used up."""

    reason = "QuotaExceeded"


class NamespaceMissing(ClusterError):
    """The namespace is not there, or on its way out."""

    reason = "NamespaceMissing"


class Changed(ClusterError):
    """The object has changed in the meantime, or another stands in its place."""

    reason = "Conflict"


class Rejected(ClusterError):
    """The cluster understood and refused: only a change of the manifest helps."""

    reason = "Rejected"
    temporary = False


class DeniedByPolicy(Rejected):
    """A rule of this cluster or of the namespace forbids it: a webhook, the security of pods."""

    reason = "DeniedByPolicy"


class FieldImmutable(Rejected):
    """The object would be accepted as a new one; `fields` are those that the cluster does not let anybody change."""

    reason = "FieldImmutable"

    def __init__(self, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


_IMMUTABLE: Final = re.compile(
    r"immutable|may not change once set|may not be changed|cannot change roleRef|can not be unset|"
    r"updates to (?:statefulset spec|\w+) (?:for fields other than .* )?are forbidden|"
    r"pod updates may not (?:change fields other than|add or remove)",
    re.DOTALL,
)
"""How Kubernetes says it (pkg/apis/*/validation; there is no reason of its own for it)."""

_MALFORMED: Final = re.compile(
    r"failed to (?:create typed patch|convert new) object \([^)]*\)(?: to proper version)?: (.*)", re.DOTALL
)
"""How an apply is refused, as 500, whose manifest has an unknown field or a value of the wrong type."""

LONGEST_PAUSE: Final = 30.0
"""Seconds, at most, that a cluster may ask us to wait."""

NETWORK_ERRORS = (aiohttp.ClientError, asyncio.TimeoutError, OSError, ssl.SSLError)


def from_network(error: BaseException, endpoint: str) -> ClusterError:
    """The error for a connection that failed."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return AccessDenied(f"the certificate of {endpoint} is not to be trusted: {error.certificate_error}")
    why = "no answer in time" if isinstance(error, asyncio.TimeoutError) else str(error) or type(error).__name__
    return ClusterUnreachable(f"the cluster at {endpoint} cannot be reached: {why}")


def not_kubernetes(endpoint: str, missing: str) -> ClusterUnreachable:
    """The error for an answer that no cluster gives: something else is at this address, perhaps in place of one."""
    return ClusterUnreachable(f"{endpoint} does not answer as a Kubernetes API: {missing}")


def says_absent(error: ApiException, name: str) -> bool:
    """Whether an answer says that there is no object of this name, rather than that there is nothing at its path."""
    return error.status == 404 and (status_of(error).get("details") or {}).get("name") == name


def from_answer(error: ApiException, subject: str, manifest: FrozenJson | None = None) -> ClusterError:
    """The error for an answer that is none of 2xx and no plain 404; `subject` names the object, `Deployment a/b`, and
    `manifest` is what was sent of it: no value of a Secret gets into the message."""
    status = status_of(error)
    said = str(status.get("message") or error.reason or "no reason given")
    code, message = int(error.status or 0), without_values(said, manifest)
    if code == 401:
        return AccessDenied(
            f"the cluster refuses the credentials: {message}. If they have expired, as those of exec plugins do, renew "
            "them: tptctl runtime add NAME --kubeconfig FILE"
        )
    if code == 403:
        return _refused(status, message, subject)
    if code == 404:
        return NamespaceMissing(f"{subject}: {message}")
    if code == 409:
        return Changed(f"{subject}: {message}")
    if code == 422 and (fields := _immutable_fields(status, message)):
        return FieldImmutable(f"{subject} is not accepted: {message}", fields)
    if code in (400, 405, 406, 413, 415, 422):
        return Rejected(f"{subject} is not accepted: {message}")
    if code == 500 and (malformed := _MALFORMED.match(message)):
        return Rejected(f"{subject} is not accepted: {malformed[1]}")
    if code == 429:
        pause = min(max(_retry_after(status), 1.0), LONGEST_PAUSE)
        return ClusterBusy(f"{subject}: the cluster asks to try again in {pause:.0f} s: {message}", pause)
    # What is down may be the server of one kind only, if it is the cluster that says so, and nothing in front of it.
    kind = ClusterUnreachable if code == 504 or (code == 503 and not status) else ClusterFailed
    return kind(f"{subject}: the cluster answered {code}: {message}")


def _retry_after(status: JsonObject) -> float:
    seconds = (status.get("details") or {}).get("retryAfterSeconds")
    return float(seconds) if isinstance(seconds, int) else 0.0


def status_of(error: ApiException) -> JsonObject:
    """The ``Status`` in the answer, or nothing."""
    try:
        decoded = orjson.loads(error.body or b"")
    except orjson.JSONDecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _refused(status: JsonObject, message: str, subject: str) -> ClusterError:
    causes = (status.get("details") or {}).get("causes") or ()
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return NamespaceMissing(f"{subject}: {message}")
    if "exceeded quota" in message:
        return QuotaExceeded(f"{subject}: {message}")
    if "admission webhook" in message or "violates PodSecurity" in message or "denied request" in message:
        return DeniedByPolicy(f"{subject} is not accepted: {message}")
    return AccessDenied(f"{subject}: {message}")


def _immutable_fields(status: JsonObject, message: str) -> list[str]:
    """The fields that cannot change, if nothing else is wrong: what is wrong besides would be so in a new object."""
    causes = (status.get("details") or {}).get("causes") or ()
    if not causes:
        return ["an immutable field"] if _IMMUTABLE.search(message) else []
    if not all(_IMMUTABLE.search(str(cause.get("message") or "")) for cause in causes):
        return []
    return list(dict.fromkeys(str(cause.get("field") or "an immutable field") for cause in causes))
