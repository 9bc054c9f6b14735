"""Logs: one JSON object per line on standard error, with the id of the request that they belong to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, cast

import orjson
import structlog

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
]

_TRACEBACKS = structlog.processors.ExceptionRenderer(
    # Local variables hold what users sent, secrets included.
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def _encoded(event: object, default: Callable[[Any], Any]) -> bytes:
    """The line. What orjson refuses (half of a surrogate pair, numbers over 64 bits) must not fail what is logged."""
    try:
        return orjson.dumps(event, default=default)
    except TypeError:
        return json.dumps(event, default=default).encode()


_JSON = structlog.processors.JSONRenderer(serializer=_encoded)


def set_up_logging(level: int = logging.INFO) -> None:
    """Everything that logs, libraries included, writes JSON lines with time, level, logger, event, request_id.

    Our own lines, one for each request, don't take the way through `logging`, which was 18 % of a GET.
    """
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _TRACEBACKS, _text],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    structlog.configure(
        processors=[*_SHARED, _TRACEBACKS, _JSON],
        logger_factory=_lines_of,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _text(logger: object, method: str, event: structlog.typing.EventDict) -> str:
    line = _JSON(logger, method, event)
    return line.decode() if isinstance(line, bytes) else line


def _lines_of(*names: str) -> structlog.BytesLogger:
    return structlog.BytesLogger(cast(BinaryIO, BestEffort(sys.stderr.buffer)), name=names[0] if names else None)


class BestEffort:
    """A file for lines that are dropped when they cannot be written: no request fails because the log's disk is full,
    after what it asked for has been done."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        """Writes the line, or drops it."""
        with suppress(OSError):
            self._file.write(line)

    def flush(self) -> None:
        """Flushes what can be."""
        with suppress(OSError):
            self._file.flush()
