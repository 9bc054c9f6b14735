"""Ages as kubectl writes them: ``45s``, ``3m12s``, ``2d4h`` (apimachinery, ``duration.HumanDuration``)."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY


def age(stamp: str, now: datetime | None = None) -> str:
    """The time since `stamp` (RFC 3339); ``<invalid>`` if it is no time or lies ahead."""
    try:
        seconds = int(((now or datetime.now(UTC)) - datetime.fromisoformat(stamp)).total_seconds())
    except (ValueError, TypeError):
        return "<invalid>"
    return human_duration(seconds) if seconds >= -1 else "<invalid>"


def human_duration(seconds: int) -> str:
    """At most two units, the finer one only where it tells something."""
    seconds = max(seconds, 0)
    for limit, unit, size, finer, finer_size in (
        (2 * _MINUTE, "s", 1, "", 0),
        (10 * _MINUTE, "m", _MINUTE, "s", 1),
        (3 * _HOUR, "m", _MINUTE, "", 0),
        (8 * _HOUR, "h", _HOUR, "m", _MINUTE),
        (2 * _DAY, "h", _HOUR, "", 0),
        (8 * _DAY, "d", _DAY, "h", _HOUR),
        (2 * _YEAR, "d", _DAY, "", 0),
        (8 * _YEAR, "y", _YEAR, "d", _DAY),
    ):
        if seconds < limit:
            rest = seconds % size // finer_size if finer else 0
            return f"{seconds // size}{unit}{rest}{finer}" if rest else f"{seconds // size}{unit}"
    return f"{seconds // _YEAR}y"
