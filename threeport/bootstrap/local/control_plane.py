"""A local control plane as a whole: up, down, and what it is like."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from threeport.bootstrap.configuration import add_control_plane, remove_control_plane
from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.files import Locked, is_locked, lock
from threeport.bootstrap.local import process_ids
from threeport.bootstrap.local.installation import Installation, LocalSettings
from threeport.bootstrap.local.state import Phase, ProcessState, SupervisorState, read_state
from threeport.client.config import ControlPlaneEntry

UP_SECONDS = 180.0
DOWN_SECONDS = 150.0
AGENT_SECONDS = 15.0
CHANGE_SECONDS = 5.0
POLL_SECONDS = 0.05
FAILURES = 4
"""How often a process may fail in a row before `up` gives up and shows why; the supervisor goes on trying."""

LOG_TAIL = 15
DISK_FULL = (os.strerror(errno.ENOSPC), "Check free disk space")
"""How programs say that the disk is full; PostgreSQL knows the second way for what was written in part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller of `up` wants; None keeps what there is."""

    api_processes: int | None = None
    simulated: bool = False


def up(
    installation: Installation,
    wishes: Wishes,
    *,
    on_progress: Callable[[SupervisorState], None],
    seconds: float = UP_SECONDS,
) -> ControlPlaneEntry:
    """Starts the control plane, or goes on with the one that runs, until every process answers.

    `on_progress` is called with each new state. What was started stays, should the caller be interrupted: `up` again
    continues. Returns the entry, which is the current one in the configuration from now on. Raises `BootstrapError`.
    """
    try:
        with lock(installation.change_lock, seconds=CHANGE_SECONDS):
            installation.prepare()
            settings = _write_wishes(installation, wishes)
            supervisor = None if is_locked(installation.supervisor_lock) else _start_supervisor(installation)
    except Locked:
        raise BootstrapError(
            f"Another command is changing control plane {installation.name!r}. Wait for it, then try again."
        ) from None
    _wait_until_ready(installation, settings, supervisor, on_progress, time.monotonic() + seconds)
    entry = installation.entry()
    add_control_plane(entry, home=installation.directory.parent)
    return entry


def wait_for_agents(installation: Installation, *, seconds: float = AGENT_SECONDS) -> bool:
    """Whether every process answers, agents included, within `seconds`: they start once their runtimes are known."""
    deadline = time.monotonic() + seconds
    while True:
        state = current_state(installation)
        names = {process.name for process in state.processes} if state else set()
        wanted = {f"agent-{file.stem}" for file in installation.agents.glob("*.json")}
        if state and wanted <= names and all(process.phase == Phase.READY for process in state.processes):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)


def down(installation: Installation, *, delete_data: bool, on_progress: Callable[[SupervisorState], None]) -> bool:
    """Stops every process; with `delete_data` the directory and the entry in the configuration go too.

    Returns whether anything ran. Raises `BootstrapError` if something does not stop.
    """
    try:
        with lock(installation.change_lock, seconds=CHANGE_SECONDS):
            stopped = _stop_supervisor(installation, on_progress)
            ran = _end_leftovers(installation) or stopped
            if delete_data:
                _delete(installation)
            return ran
    except Locked:
        raise BootstrapError(
            f"Another command is changing control plane {installation.name!r}. Wait for it, then try again."
        ) from None


def current_state(installation: Installation) -> SupervisorState | None:
    """What runs now; None if no supervisor does."""
    return read_state(installation) if is_locked(installation.supervisor_lock) else None


def log_tail(installation: Installation, component: str, lines: int = LOG_TAIL) -> str:
    """The last lines that a component wrote; empty if it has no log."""
    file = installation.logs / f"{component}.log"
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else ""


def _write_wishes(installation: Installation, wishes: Wishes) -> LocalSettings:
    before = installation.read_settings() if installation.exists else None
    settings = before or LocalSettings.new()
    settings = settings.model_copy(
        update={
            "simulated": settings.simulated or wishes.simulated,
            "api_processes": wishes.api_processes or settings.api_processes,
        }
    )
    if settings != before:
        installation.write_settings(settings)
    return settings


def _start_supervisor(installation: Installation) -> subprocess.Popen[bytes]:
    """Starts it detached: no terminal, a session of its own, its output in a file."""
    # What an earlier one wrote of itself is kept: by it the new one ends the leftovers.
    log = installation.logs / "supervisor.log"
    log.touch(mode=0o600)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "threeport.bootstrap.local.supervisor", str(installation.directory)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
        )


def _wait_until_ready(
    installation: Installation,
    settings: LocalSettings,
    supervisor: subprocess.Popen[bytes] | None,
    on_progress: Callable[[SupervisorState], None],
    deadline: float,
) -> None:
    """`supervisor` is the process that was started just now; None if one ran already."""
    while True:
        state = current_state(installation)
        if state is not None and process_ids.is_alive(state.supervisor):
            on_progress(state)
            if _answers(state, settings):
                return
            failing = [p for p in _essential(state) if p.restarts >= FAILURES and p.phase != Phase.READY]
            if failing:
                raise _failure(installation, failing[0])
        elif supervisor is not None and supervisor.poll():
            tail = log_tail(installation, "supervisor")
            raise BootstrapError(
                f"The supervisor did not start. The end of {installation.logs}/supervisor.log:\n{tail}"
            )
        if time.monotonic() > deadline:
            waiting = [f"{p.name} ({p.phase})" for p in state.processes if p.phase != Phase.READY] if state else []
            raise BootstrapError(
                f"The control plane is not ready yet: {', '.join(waiting)}. It goes on starting: look with "
                f"`tptctl status --name {installation.name}`, or run `tptctl up` again to wait on."
            )
        time.sleep(POLL_SECONDS)


def _answers(state: SupervisorState, settings: LocalSettings) -> bool:
    """Whether all that these settings want is there and answers."""
    essential = _essential(state)
    names = [process.name for process in essential]
    api = sum(name == "api" or name.startswith("api-") for name in names)
    complete = api == settings.api_processes and ("simulated" in names or not settings.simulated)
    return complete and all(process.phase == Phase.READY for process in essential)


def _essential(state: SupervisorState) -> list[ProcessState]:
    """The processes without which there is no control plane; agents come and go with their runtimes."""
    return [process for process in state.processes if not process.name.startswith("agent-")]


def _failure(installation: Installation, process: ProcessState) -> BootstrapError:
    tail = log_tail(installation, process.name)
    said = f"{process.name} does not start: {process.message}"
    if any(sign in said + tail for sign in DISK_FULL):
        said = f"The disk that holds {installation.directory} is full: make room, then run `tptctl up` again.\n{said}"
    if not tail:
        return BootstrapError(said)
    command = f"tptctl control-plane logs {process.name} --name {installation.name}"
    return BootstrapError(f"{said}\nThe end of its log:\n{tail}\nThe whole log: `{command}`.")


def _stop_supervisor(installation: Installation, on_progress: Callable[[SupervisorState], None]) -> bool:
    if not is_locked(installation.supervisor_lock):
        return False
    deadline = time.monotonic() + DOWN_SECONDS
    asked = False
    while is_locked(installation.supervisor_lock):
        state = read_state(installation)
        if state is not None and process_ids.is_alive(state.supervisor):
            if not asked:
                os.kill(state.supervisor.pid, signal.SIGTERM)
                asked = True
            on_progress(state)
        if time.monotonic() > deadline:
            raise BootstrapError(f"The supervisor does not stop: see {installation.logs}/supervisor.log.")
        time.sleep(POLL_SECONDS)
    return True


def _end_leftovers(installation: Installation) -> bool:
    """Ends processes that a killed supervisor has left. Returns whether there were any."""
    state = read_state(installation)
    left = [
        (one.process, signal.Signals(one.stop_signal))
        for one in (state.processes if state else [])
        if one.process and process_ids.is_alive(one.process)
    ]
    for process, stop_signal in reversed(left):
        process_ids.end([process], seconds=20.0, stop_signal=stop_signal)
    return bool(left)


def _delete(installation: Installation) -> None:
    """Removes the data and the entry. The configuration goes last: until then the name is still known."""
    for outside in _data_elsewhere(installation):
        shutil.rmtree(outside, ignore_errors=True)
    with suppress(FileNotFoundError):
        shutil.rmtree(installation.directory)
    remove_control_plane(installation.name, home=installation.directory.parent)


def _data_elsewhere(installation: Installation) -> list[Path]:
    """Data that lies outside the directory: PostgreSQL's, where it has to run as another user."""
    if not installation.exists:
        return []
    settings = installation.read_settings()
    if settings.database != "postgres":
        return []
    from threeport.bootstrap.local.postgres import PostgresServer  # noqa: PLC0415 - pulls in the database driver

    server = PostgresServer(installation.directory / "postgres", password="", port=settings.ports["postgres"])
    return [] if server.data.is_relative_to(installation.directory) else [server.data]
