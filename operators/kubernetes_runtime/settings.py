"""Settings of this controller beyond those of every controller, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """Where simulated clusters come from, and where agents run."""

    simulated_url: str | None = None
    simulated_token_file: Path | None = None
    ca_file: Path | None = None
    """The CA of the installation: of the Threeport API, and of the process that serves simulated clusters."""
    agent_dir: Path | None = None
    """Where the supervisor of this machine looks for agents to run; without it they run in their clusters."""
    agent_image: str | None = None
    api_url: str = ""
    """The URL by which agents reach the Threeport API."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> RuntimeSettings:
        """Reads ``THREEPORT_SIMULATED_URL``, ``THREEPORT_SIMULATED_TOKEN_FILE``, ``THREEPORT_CA_FILE``,
        ``THREEPORT_AGENT_DIR``, ``THREEPORT_AGENT_IMAGE`` and ``THREEPORT_AGENT_API_URL`` (``THREEPORT_API_URL``)."""
        return cls(
            simulated_url=environ.get("THREEPORT_SIMULATED_URL") or None,
            simulated_token_file=_path(environ, "THREEPORT_SIMULATED_TOKEN_FILE"),
            ca_file=_path(environ, "THREEPORT_CA_FILE"),
            agent_dir=_path(environ, "THREEPORT_AGENT_DIR"),
            agent_image=environ.get("THREEPORT_AGENT_IMAGE") or None,
            api_url=environ.get("THREEPORT_AGENT_API_URL") or environ.get("THREEPORT_API_URL") or "",
        )

    def ca(self) -> str:
        """The CA of the installation as PEM, empty if there is none."""
        return self.ca_file.read_text() if self.ca_file else ""


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name)
    return Path(text) if text else None
