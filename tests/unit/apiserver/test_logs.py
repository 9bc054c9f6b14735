"""Logging never stands in the way of what is logged."""

from __future__ import annotations

import errno
import io
import json
import logging
from typing import Any

import pytest
import structlog

from threeport.apiserver.logs import BestEffort, set_up_logging


class Disk(io.BytesIO):
    """A file on a disk that may be full."""

    is_full = True

    def write(self, data: Any) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_lines_that_a_full_disk_refuses_are_dropped_and_later_ones_are_written() -> None:
    disk = Disk()
    logger: Any = structlog.BytesLogger(BestEffort(disk))  # type: ignore[arg-type]
    logger.info(b"lost")
    disk.is_full = False
    logger.error(b"kept")
    assert disk.getvalue() == b"kept\n"


@pytest.mark.parametrize("value", ["\udcff", 1 << 70, {1: "a"}])
def test_a_value_that_is_hard_to_write_is_written(value: object, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    handlers, level = logging.root.handlers, logging.root.level
    try:
        set_up_logging()
        structlog.stdlib.get_logger("test").info("said", value=value)
        logging.getLogger("library").info("said", extra={"value": value})
    finally:
        logging.root.handlers = handlers
        logging.root.setLevel(level)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert [line["logger"] for line in lines] == ["test", "library"]
    assert {"value", "event", "time"} <= lines[0].keys() & lines[1].keys()
