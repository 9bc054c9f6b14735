"""What a watch asks for, from its query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from threeport.krm.negotiation import is_true
from threeport.krm.options import check_initial_events
from threeport.krm.reading.options import parse_number

_LONGEST_WATCH = 3600.0


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What a watch asks for. `since` None: from now on; `state_first`: after the current state as ADDED."""

    since: int | None
    state_first: bool
    initial_end: bool
    """Whether a bookmark tells the end of the current state."""
    bookmarks: bool
    seconds: float
    """How long it may last."""


def parse_watch_options(query: Mapping[str, str]) -> WatchOptions:
    """The options in the query of a WATCH. Raises `BadRequest` or `Invalid`."""
    since = parse_number(query, "resourceVersion")
    wanted = is_true(query, "sendInitialEvents")
    refused = "sendInitialEvents" in query and not wanted
    check_initial_events(query)
    seconds = parse_number(query, "timeoutSeconds")
    return WatchOptions(
        since=since or None,
        state_first=wanted or (not since and not refused),
        initial_end=wanted,
        bookmarks=is_true(query, "allowWatchBookmarks"),
        seconds=min(float(seconds or _LONGEST_WATCH), _LONGEST_WATCH),
    )
