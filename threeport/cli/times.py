"""Times and durations as the API and people write them."""

from __future__ import annotations

import re
from datetime import datetime

import click

_PARTS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")


class Duration(click.ParamType[float]):
    """A duration on the command line: ``90``, ``90s``, ``5m``, ``1h30m``; the value is in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        match = _PARTS.fullmatch(str(value))
        if not match or not any(match.groups()):
            self.fail(f"{value!r} is no duration: write 90s, 5m or 1h30m.", param, ctx)
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds


def parse_time(text: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None if it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
