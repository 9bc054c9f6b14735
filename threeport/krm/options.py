"""Options in the query that contradict each other or say what is not known, refused as Kubernetes refuses them.

Source: apimachinery, ``pkg/apis/meta/internalversion/validation`` and ``pkg/apis/meta/v1/validation``. Clients tell
from the kind (``ListOptions``) and the field whether they have asked for too much, and ask for less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threeport.common.errors import Cause, Invalid
from threeport.krm.negotiation import is_true

FORBIDDEN = "FieldValueForbidden"
NOT_SUPPORTED = "FieldValueNotSupported"
REQUIRED = "FieldValueRequired"
INVALID = "FieldValueInvalid"

_WORDS = {FORBIDDEN: "Forbidden: ", NOT_SUPPORTED: "Unsupported value: ", REQUIRED: "Required value: "}
_MATCHES = ("Exact", "NotOlderThan", "")


def invalid_option(options: str, field: str, reason: str, message: str) -> Invalid:
    """The error for one option: `options` is the kind that it belongs to, such as ``ListOptions``."""
    said = f"{_WORDS.get(reason, '')}{message}"
    error = Invalid(
        f'{options}.meta.k8s.io "" is invalid: {field}: {said}', kind=options, causes=[Cause(field, said, reason)]
    )
    error.group = "meta.k8s.io"
    return error


def not_supported(options: str, field: str, value: str, supported: Sequence[str]) -> Invalid:
    """The error for a value that is none of those there are."""
    known = ", ".join(f'"{one}"' for one in supported)
    return invalid_option(options, field, NOT_SUPPORTED, f'"{value[:40]}": supported values: {known}')


def check_match(query: Mapping[str, str]) -> None:
    """Whether ``resourceVersionMatch`` of a list can be meant. Raises `Invalid`."""
    match, revision = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    if match and not revision:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid_option("ListOptions", "resourceVersionMatch", FORBIDDEN, why)
    if match not in _MATCHES:
        raise not_supported("ListOptions", "resourceVersionMatch", match, _MATCHES)
    if match == "Exact" and revision == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        raise invalid_option("ListOptions", "resourceVersionMatch", FORBIDDEN, why)


def check_initial_events(query: Mapping[str, str]) -> None:
    """Whether ``sendInitialEvents`` of a watch, and what belongs to it, can be meant. Raises `Invalid`."""
    match = query.get("resourceVersionMatch", "")
    if "sendInitialEvents" in query:
        if match != "NotOlderThan" and is_true(query, "sendInitialEvents"):
            why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise invalid_option("ListOptions", "resourceVersionMatch", FORBIDDEN, why)
    elif match:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise invalid_option("ListOptions", "resourceVersionMatch", FORBIDDEN, why)


def parse_dry_run(wanted: Sequence[str], options: str) -> bool:
    """Whether nothing is to happen really: ``dryRun=All`` does it. Raises `Invalid` for any other value."""
    for value in wanted:
        if value not in ("", "All"):
            raise not_supported(options, "dryRun", value, ("All",))
    return "All" in wanted
