"""Servers of others, run as child processes: start, readiness, stop, and leftovers of an earlier run.

A program that is killed with -9 leaves its servers running. Whoever starts them next must end them first, or two
servers would share one directory; but a process id alone proves nothing, since the number is given to others. So a
leftover is ended only when its command line names the directory that is ours.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
PORTS = range(20000, 30000)
"""Below the ephemeral ports of Linux (32768-60999) and macOS (49152-65535), so that no outgoing connection takes a
port between our choice and the server's bind."""

POLL_SECONDS = 0.02
KILL_SECONDS = 10.0
LOG_TAIL = 2000


class ServerFailed(Exception):
    """A server did not start or stop; the message holds the end of its log."""


def free_port(preferred: int | None = None) -> int:
    """A port of loopback that no one listens on now: `preferred` if it is free, else any of `PORTS`.

    Raises `ServerFailed` when all are taken.
    """
    candidates = random.sample(PORTS, len(PORTS))
    for port in ([preferred] if preferred else []) + candidates:
        if is_free(port):
            return port
    raise ServerFailed(f"every port from {PORTS.start} to {PORTS.stop - 1} is taken: end a program that listens there")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


class ServerProcess(ABC):
    """A server of one directory. `prepare`, `command`, `environment` and `ready` serve a supervisor that starts
    the process itself; `start` and `stop` are the short way."""

    name: str
    stop_signal = signal.SIGTERM
    start_seconds = 30.0
    stop_seconds = 30.0

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Writes what the server needs before it starts, and ends a leftover of an earlier run. May be repeated."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line; the process stays in the foreground and logs to its output."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers now; takes a second at most."""

    def environment(self) -> Mapping[str, str]:
        """The environment of the process."""
        return os.environ

    def ownership(self) -> tuple[int, int] | None:
        """The user and group to run as, when it cannot be those of this process."""
        return None

    @property
    def pid(self) -> int | None:
        """The id of the process that `start` made, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Prepares and starts the server, and waits until it answers. Raises `ServerFailed`."""
        self.kill()  # a process that was killed from outside is still ours to wait for
        self.prepare()
        user, group = self.ownership() or (None, None)
        with self.log.open("ab") as log:
            # A session of its own: it gets neither the Ctrl-C of our terminal nor the end of it.
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment()),
                cwd="/",
                start_new_session=True,
                user=user,
                group=group,
            )
        if not wait_until(lambda: self.pid is None or self.ready(), seconds=self.start_seconds) or self.pid is None:
            self.kill()
            raise ServerFailed(f"{self.name} did not start; the end of {self.log}:\n{self.log_tail()}")

    def stop(self) -> None:
        """Ends the server in order, or by force when it takes too long; not running is no error."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """Ends the server with SIGKILL, as a crash would."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(KILL_SECONDS)

    def log_tail(self) -> str:
        """The last lines that the server wrote."""
        return self.log.read_text(errors="replace")[-LOG_TAIL:] if self.log.exists() else ""


def end_leftover(pid_file: Path, *, belongs_to: Path, stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ends the process named in the first line of `pid_file` if its command line names `belongs_to`, and removes
    the file. Raises `ServerFailed` if it does not end."""
    pid = _read_pid(pid_file)
    if pid is None:
        return
    if _is_ours(pid, belongs_to):
        os.kill(pid, stop_signal)
        if not wait_until(lambda: not _is_ours(pid, belongs_to), seconds=KILL_SECONDS):
            os.kill(pid, signal.SIGKILL)
        if not wait_until(lambda: not _is_ours(pid, belongs_to), seconds=KILL_SECONDS):
            raise ServerFailed(f"process {pid} still uses {belongs_to}: end it and try again")
    pid_file.unlink(missing_ok=True)


def _read_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _is_ours(pid: int, belongs_to: Path) -> bool:
    return str(belongs_to) in _command_line(pid)


def _command_line(pid: int) -> str:
    """The command line of a running process; empty if there is none. macOS has no /proc, so there `ps` is asked."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return ""
    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return answer.stdout
