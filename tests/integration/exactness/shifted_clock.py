"""Runs a module with a wall clock that a file shifts: ``python shifted_clock.py FILE MODULE``.

The file holds microseconds. Only what stamps revisions and measures skew reads the clock this way (`time.time_ns`);
sleeping and timeouts go by the monotonic clock, which does not step on a real machine either.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path


def main() -> None:
    """Shift the clock, then become the module."""
    file, module = Path(sys.argv[1]), sys.argv[2]
    real = time.time_ns

    def shifted() -> int:
        return real() + int(file.read_bytes()) * 1000

    time.time_ns = shifted
    sys.argv = [module]
    sys.path.pop(0)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


main()
