"""One local control plane on disk: its directory, and the settings that outlive its processes."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.files import write_private
from threeport.client.config import ControlPlaneEntry, home_directory
from threeport.controller.installed import installed_controllers

USUAL_PORTS = {"api": 7443, "simulated": 7444, "postgres": 7432, "nats": 7422}
"""Ports of loopback that are taken if they are free; the choice is remembered."""

USUAL_METRICS_PORT = 7450
"""The same for the metrics of the first controller; the others follow."""


def usual_ports(controllers: Sequence[str]) -> dict[str, int]:
    """The ports that a control plane with these controllers takes if they are free."""
    metrics = {metrics_port_of(name): USUAL_METRICS_PORT + number for number, name in enumerate(controllers)}
    return USUAL_PORTS | metrics


def metrics_port_of(controller: str) -> str:
    """The name, among the ports, of the one where a controller serves its metrics."""
    return f"metrics-{controller}"


_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


class LocalSettings(BaseModel):
    """What a local control plane is made of. Written to its directory; holds passwords."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    database: Literal["postgres", "cockroach"]
    api_processes: int = 1
    simulated: bool = False
    """Whether a runtime is simulated, so that the process that serves it has to run."""
    ports: dict[str, int]
    database_password: str
    nats_password: str

    @classmethod
    def new(cls) -> LocalSettings:
        """Settings of a new control plane: CockroachDB if it is there, else PostgreSQL; new passwords."""
        return cls(
            database="cockroach" if shutil.which("cockroach") else "postgres",
            ports=usual_ports(installed_controllers()),
            database_password=secrets.token_urlsafe(24),
            nats_password=secrets.token_urlsafe(24),
        )


@dataclass(frozen=True, slots=True)
class Installation:
    """The directory of one local control plane, and where everything in it is."""

    name: str
    directory: Path

    @classmethod
    def named(cls, name: str, *, home: Path | None = None) -> Installation:
        """The control plane of this name, whether it exists or not. Raises `BootstrapError` for an impossible name."""
        if not _NAME.fullmatch(name):
            raise BootstrapError(
                f"{name!r} cannot be the name of a control plane: use up to 40 lower-case letters, digits and dashes."
            )
        return cls(name, (home or home_directory()) / name)

    @property
    def settings_file(self) -> Path:
        return self.directory / "settings.json"

    @property
    def state_file(self) -> Path:
        """What the supervisor says of its processes."""
        return self.directory / "state.json"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.directory / "supervisor.lock"

    @property
    def change_lock(self) -> Path:
        """Held by the command that is changing this control plane."""
        return self.directory / "change.lock"

    @property
    def identities(self) -> Path:
        return self.directory / "identities"

    @property
    def agents(self) -> Path:
        """One file per runtime whose agent runs here, written by the controller of runtimes."""
        return self.directory / "agents"

    @property
    def simulated_token(self) -> Path:
        return self.directory / "simulated.token"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def exists(self) -> bool:
        """Whether `tptctl up` has made it."""
        return self.settings_file.exists()

    def read_settings(self) -> LocalSettings:
        """The settings. Raises `BootstrapError` if there are none, or if they cannot be understood."""
        try:
            return LocalSettings.model_validate_json(self.settings_file.read_bytes())
        except FileNotFoundError:
            raise BootstrapError(
                f"There is no local control plane {self.name!r}. Start one with `tptctl up --name {self.name}`."
            ) from None
        except ValidationError as error:
            raise BootstrapError(
                f"{self.settings_file} cannot be understood ({error.errors()[0]['msg']}). Remove this control plane "
                f"with `tptctl down --name {self.name} --delete-data`."
            ) from None

    def write_settings(self, settings: LocalSettings) -> None:
        """Keeps the settings, readable by their owner only."""
        write_private(self.settings_file, settings.model_dump_json(by_alias=True, indent=2) + "\n")

    def prepare(self) -> None:
        """Makes the directories, and the token of the simulated clusters."""
        for directory in (self.directory, self.agents, self.logs):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.simulated_token.exists():
            write_private(self.simulated_token, secrets.token_urlsafe(32) + "\n")

    def entry(self) -> ControlPlaneEntry:
        """What the configuration file says of this control plane."""
        return ControlPlaneEntry(
            name=self.name,
            provider="local",
            url=f"https://127.0.0.1:{self.read_settings().ports['api']}",
            ca_file=str(self.identities / "ca.crt"),
            cert_file=str(self.identities / "admin.crt"),
            key_file=str(self.identities / "admin.key"),
        )
