"""Where the API is and who we are: settings from the environment, and from the configuration file of ``tptctl``.

Processes (controllers, agents) read the environment; people's programs read the file, which ``tptctl up`` writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from threeport.common.types import JsonObject

HOME_VARIABLE = "THREEPORT_HOME"
CONFIG_FILE = "config.yaml"


class ConfigError(Exception):
    """The settings do not say where the API is; the message says what is missing and how to set it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the API is and how to be let in. Works for Threeport and for any Kubernetes API server."""

    url: str
    """``https://host:port``, with a path prefix if the API has one."""
    ca_file: str | None = None
    """The CA (PEM) that the API's certificate must come from; the system's CAs if absent."""
    cert_file: str | None = None
    key_file: str | None = None
    """Client certificate and its key (PEM)."""
    token: str | None = None
    token_file: str | None = None
    """Bearer token, or a file with it that is read again whenever it changes."""
    server_name: str | None = None
    """The name to expect in the API's certificate, where it is not the host of `url`."""
    request_timeout: float = 30.0
    """Seconds that one request may take, watches apart."""
    connect_timeout: float = 5.0
    max_connections: int = 32
    """Requests in flight at the same time; more wait. Watches have connections of their own."""
    user_agent: str = "threeport-client"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> ClientSettings:
        """Reads ``THREEPORT_API_URL``, ``THREEPORT_CA_FILE``, ``THREEPORT_CLIENT_CERT``, ``THREEPORT_CLIENT_KEY`` and
        ``THREEPORT_TOKEN_FILE``. Raises `ConfigError` without the first."""
        url = environ.get("THREEPORT_API_URL")
        if not url:
            raise ConfigError("THREEPORT_API_URL is not set: it must be the URL of the Threeport API.")
        return cls(
            url=url,
            ca_file=environ.get("THREEPORT_CA_FILE") or None,
            cert_file=environ.get("THREEPORT_CLIENT_CERT") or None,
            key_file=environ.get("THREEPORT_CLIENT_KEY") or None,
            token_file=environ.get("THREEPORT_TOKEN_FILE") or None,
        )

    @classmethod
    def from_config(cls, name: str | None = None, *, home: Path | None = None) -> ClientSettings:
        """The settings of control plane `name` (the current one if None) in the configuration file.

        Raises `ConfigError` if there is no such entry.
        """
        return Configuration.read(home).control_plane(name).client_settings()

    def with_prefix(self, prefix: str) -> ClientSettings:
        """The same API below a path: ``/controllers/workload/0-of-1/7``."""
        return replace(self, url=self.url.rstrip("/") + prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlaneEntry:
    """One control plane in the configuration file."""

    name: str
    provider: str
    url: str
    ca_file: str
    cert_file: str
    key_file: str

    def client_settings(self) -> ClientSettings:
        """How to call this control plane's API."""
        return ClientSettings(
            url=self.url, ca_file=self.ca_file, cert_file=self.cert_file, key_file=self.key_file, user_agent="tptctl"
        )

    def as_json(self) -> JsonObject:
        """The form in the file."""
        return {
            "provider": self.provider,
            "url": self.url,
            "certificateAuthority": self.ca_file,
            "clientCertificate": self.cert_file,
            "clientKey": self.key_file,
        }

    @classmethod
    def from_json(cls, name: str, entry: Mapping[str, str]) -> ControlPlaneEntry:
        """Reads the form in the file. Raises `ConfigError` if a field is missing."""
        try:
            return cls(
                name=name,
                provider=entry["provider"],
                url=entry["url"],
                ca_file=entry["certificateAuthority"],
                cert_file=entry["clientCertificate"],
                key_file=entry["clientKey"],
            )
        except (KeyError, TypeError) as error:
            raise ConfigError(
                f"Control plane {name!r} in the configuration has no {error}. Run `tptctl up --name {name}` again."
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The content of the configuration file: the control planes, and which of them commands speak to."""

    path: Path
    current: str | None
    control_planes: Mapping[str, ControlPlaneEntry]

    @classmethod
    def read(cls, home: Path | None = None) -> Configuration:
        """The file below `home` (default `home_directory`); empty if there is none.

        Raises `ConfigError` if it cannot be read or is no configuration.
        """
        path = (home or home_directory()) / CONFIG_FILE
        try:
            content = yaml.safe_load(path.read_text())
            content = {} if content is None else content
        except FileNotFoundError:
            content = {}
        except (OSError, yaml.YAMLError) as error:
            raise ConfigError(
                f"{path} cannot be read: {error}. Correct it, or move it away and run `tptctl up`."
            ) from None
        if not isinstance(content, dict) or not isinstance(content.get("controlPlanes", {}), dict):
            raise ConfigError(f"{path} is no configuration of tptctl. Move it away and run `tptctl up`.")
        entries = content.get("controlPlanes", {})
        return cls(
            path=path,
            current=content.get("current"),
            control_planes={name: ControlPlaneEntry.from_json(name, entry) for name, entry in entries.items()},
        )

    def control_plane(self, name: str | None = None) -> ControlPlaneEntry:
        """The entry called `name`, or the current one. Raises `ConfigError` that says what to run."""
        wanted = name or self.current
        if wanted is None:
            raise ConfigError("There is no control plane yet. Start one with `tptctl up`.")
        if wanted not in self.control_planes:
            known = ", ".join(sorted(self.control_planes)) or "none"
            raise ConfigError(
                f"There is no control plane {wanted!r} (known: {known}). Start it with `tptctl up --name {wanted}`."
            )
        return self.control_planes[wanted]


def home_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """``$THREEPORT_HOME``, or ``~/.threeport``."""
    configured = environ.get(HOME_VARIABLE)
    return Path(configured).expanduser().absolute() if configured else Path.home() / ".threeport"
