"""Start and stop processes that outlive us, and never touch one that is not ours.

A process id alone proves nothing after a while: the number is given to others.
Together with the moment of the start it names one process for good.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

POLL_SECONDS = 0.02


class Process(NamedTuple):
    """One process of this machine: its id, and the moment it started (opaque text)."""

    pid: int
    started: str


def spawn(command: Sequence[str], log: Path) -> Process:
    """Start `command` in a session of its own, its output appended to `log`.

    In its own session it gets neither the Ctrl-C of our terminal nor the end of it.
    """
    write_log = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        write_log,
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(command[0], list(command), os.environ, file_actions=actions, setsid=True)
    return identify(pid) or Process(pid, "")


def identify(pid: int) -> Process | None:
    """The process that has this id now; None if there is none, or only its remains (a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # proc_pid_stat(5): state is field 3, num_threads 20, starttime (ticks since boot) 22; counted after the name.
        # While a killed process still has threads it still holds its ports, though its first thread is a zombie.
        state, threads, started = fields[0], int(fields[17]), fields[19]
        return None if state == "Z" and threads <= 1 else Process(pid, f"{_boot_id()}/{started}")
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _identify_by_ps(pid)
    except ProcessLookupError:
        return None


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]


def _identify_by_ps(pid: int) -> Process | None:
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = answer.stdout.strip().partition(" ")
    return Process(pid, started.strip()) if started and not state.startswith("Z") else None


def is_alive(process: Process) -> bool:
    """Whether exactly this process still runs."""
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)  # A child of ours that ended stays a zombie until waited for.
    return identify(process.pid) == process


def stop(processes: Iterable[Process], *, grace: float) -> None:
    """End the processes: ask, wait up to `grace` seconds, then kill."""
    running = [process for process in processes if is_alive(process)]
    if grace:
        _signal(running, signal.SIGTERM)
        running = _wait(running, grace)
    _signal(running, signal.SIGKILL)
    _wait(running, 10.0)


def _signal(processes: Sequence[Process], number: signal.Signals) -> None:
    for process in processes:
        if is_alive(process):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)


def _wait(processes: Sequence[Process], seconds: float) -> list[Process]:
    """Wait for the processes to end; returns those that did not."""
    deadline = time.monotonic() + seconds
    running = list(processes)
    while (running := [process for process in running if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return running
