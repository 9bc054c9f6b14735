"""Logging never stands in the way of what is logged."""

from __future__ import annotations

import errno
import io
from typing import Any

import structlog

from threeport.apiserver.logs import BestEffort


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
