"""What controllers log: one sentence per cycle, and whatever was not foreseen.

kopf logs each handler that it calls, at INFO when it is done and at ERROR when it will be called again. Cycles say
both themselves, in words (`threeport.controller.cycle`), so these lines are left out.
"""

from __future__ import annotations

import logging
import os

import kopf


def configure_logs() -> None:
    """Logs to standard error: lines for people, or JSON with ``THREEPORT_LOG_FORMAT=json``."""
    as_json = os.environ.get("THREEPORT_LOG_FORMAT") == "json"
    kopf.configure(log_format=kopf.LogFormat.JSON if as_json else kopf.LogFormat.FULL)
    logging.getLogger("kopf.objects").addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line of kopf about an object says more than our own."""
    if record.levelno < logging.WARNING:
        return False
    text = record.getMessage()
    return "failed temporarily: " not in text and "failed permanently: " not in text
