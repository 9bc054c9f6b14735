"""What the supervisor says of its processes, in a file that commands read."""

from __future__ import annotations

import signal
from enum import StrEnum

from pydantic import BaseModel, Field, ValidationError

from threeport.bootstrap.files import write_private
from threeport.bootstrap.local.installation import Installation
from threeport.bootstrap.local.process_ids import ProcessId


class Phase(StrEnum):
    """Where a process is in its life."""

    WAITING = "Waiting"
    STARTING = "Starting"
    READY = "Ready"
    RESTARTING = "Restarting"
    STOPPED = "Stopped"


class ProcessState(BaseModel):
    """One process as the supervisor sees it."""

    name: str
    phase: Phase = Phase.WAITING
    process: ProcessId | None = None
    stop_signal: int = signal.SIGTERM
    address: str = ""
    restarts: int = 0
    since: float = 0.0
    """When the phase began, in seconds since the epoch."""
    message: str = ""
    """What a person should know: why it waits, or how it ended."""


class SupervisorState(BaseModel):
    """The supervisor and all its processes, in the order of their start."""

    supervisor: ProcessId
    version: str
    message: str = ""
    """Why the supervisor could not go on, if so."""
    processes: list[ProcessState] = Field(default_factory=list)


def read_state(installation: Installation) -> SupervisorState | None:
    """What the supervisor wrote last, though it may have ended since; None if it never wrote."""
    try:
        return SupervisorState.model_validate_json(installation.state_file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_state(installation: Installation, state: SupervisorState) -> None:
    """Replaces what commands see."""
    write_private(installation.state_file, state.model_dump_json(indent=2) + "\n")
