"""Which process is ours: a process id alone proves nothing after a while, since the number is given to others.

Together with the moment of the start it names one process for good. Every process that the supervisor starts leads a
group of its own, so its children end with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

POLL_SECONDS = 0.02
KILL_SECONDS = 10.0


class ProcessId(NamedTuple):
    """One process of this machine: its id, and the moment it started (opaque text)."""

    pid: int
    started: str


def identify(pid: int) -> ProcessId | None:
    """The process that has this id now; None if there is none, or only its remains (a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _identify_by_ps(pid)
    # proc_pid_stat(5), counted after the name: state is field 3, starttime (ticks since boot) field 22.
    return None if fields[0] == "Z" else ProcessId(pid, f"{_boot_id()}/{fields[19]}")


def is_alive(process: ProcessId) -> bool:
    """Whether exactly this process still runs."""
    return identify(process.pid) == process


def end(processes: Iterable[ProcessId], *, seconds: float, stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ends exactly these processes: asks them, waits up to `seconds`, then kills them with their groups."""
    running = [process for process in processes if is_alive(process)]
    for process in running:
        with suppress(ProcessLookupError):
            os.kill(process.pid, stop_signal)
    for process in _wait(running, seconds):
        kill_group(process)
    _wait(running, KILL_SECONDS)


def kill_group(process: ProcessId) -> None:
    """Kills the process, and its whole group if it leads one."""
    if not is_alive(process):
        return
    with suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid, signal.SIGKILL)


def _wait(processes: Iterable[ProcessId], seconds: float) -> list[ProcessId]:
    """Waits for the processes to end; returns those that did not."""
    deadline = time.monotonic() + seconds
    running = list(processes)
    while (running := [process for process in running if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return running


def _boot_id() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    return ""


def _identify_by_ps(pid: int) -> ProcessId | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    state, _, started = answer.stdout.strip().partition(" ")
    return ProcessId(pid, started.strip()) if started and not state.startswith("Z") else None
