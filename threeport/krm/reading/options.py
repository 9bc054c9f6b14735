"""The options in the query of a LIST, and numbers in any query."""

from __future__ import annotations

from collections.abc import Mapping

from threeport.common.errors import BadRequest, Cause, Expired, Timeout
from threeport.common.revisions import SECOND, revision_of, system_micros
from threeport.krm.options import FORBIDDEN, check_match, invalid_option

_LARGEST_PAGE = 10_000
_FUTURE = 60 * SECOND
"""How far ahead a revision may be that some server's clock has made: far less than this."""


def parse_limit(query: Mapping[str, str]) -> int | None:
    """The page size asked for; None for all in one answer."""
    if query.get("limit", "").startswith("-"):
        return None  # what Kubernetes makes of it
    return min(parse_number(query, "limit"), _LARGEST_PAGE) or None


def parse_number(query: Mapping[str, str], name: str) -> int:
    """A number of the query, 0 if it is not there. Raises `BadRequest`."""
    text = query.get(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest(f"{name} is {text[:40]!r}, not a number")
    return int(text)


def check_list_options(query: Mapping[str, str]) -> None:
    """Refuses what a LIST cannot be asked, rather than answer something else.

    A list is always of the present, which is not older than any revision that has been; the state at another one is
    not kept (`Expired`), and one from the future is waited for in vain (`Timeout`, which clients of Kubernetes know).
    """
    match = query.get("resourceVersionMatch", "")
    check_match(query)
    if "sendInitialEvents" in query:
        raise invalid_option("ListOptions", "sendInitialEvents", FORBIDDEN, "sendInitialEvents is forbidden for list")
    if "timeoutSeconds" in query:
        parse_number(query, "timeoutSeconds")
    revision = parse_number(query, "resourceVersion")
    if match == "Exact":
        raise Expired(f"the state at resourceVersion {revision} is not kept; list the present without Exact")
    if revision > revision_of(system_micros() + _FUTURE):
        causes = [Cause("resourceVersion", "Too large resource version", "ResourceVersionTooLarge")]
        raise Timeout(f"Too large resource version: {revision}", causes=causes, retry_after=1)
