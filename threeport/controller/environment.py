"""Settings of a controller process, from its environment.

With ``THREEPORT_API_URL`` the operators run against the Threeport API; without it against a Kubernetes API server that
has the kinds of ``crds/``, by way of ``KUBECONFIG`` or the ServiceAccount of the pod.
"""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import kopf

from threeport.client import ClientSettings, ConfigError
from threeport.controller.controller import AT_ONCE

USER_AGENT = "threeport-controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSettings:
    """Where the API is, which part of the objects is ours, and where metrics are served."""

    api: ClientSettings
    has_door: bool = True
    """Whether the API is Threeport's, with leases, shards and a door for controllers."""
    shard: int = 0
    shards: int = 1
    metrics_port: int | None = None
    reconciles: int = AT_ONCE
    """Reconciles that each controller has under way at most."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> ControllerSettings:
        """Reads the variables of `ClientSettings.from_environment`, ``THREEPORT_SHARDS``, ``THREEPORT_SHARD`` (the
        ordinal of a StatefulSet's pod if absent), ``THREEPORT_RECONCILES`` and ``THREEPORT_METRICS_PORT``. Raises
        `ConfigError`."""
        has_door = bool(environ.get("THREEPORT_API_URL"))
        shards = _number(environ, "THREEPORT_SHARDS", 1)
        named = shards == 1 or environ.get("THREEPORT_SHARD")
        shard = _number(environ, "THREEPORT_SHARD", 0) if named else _ordinal(environ.get("HOSTNAME", ""))
        if not 0 <= shard < shards:
            raise ConfigError(f"THREEPORT_SHARD is {shard}, but must be from 0 to {shards - 1} (THREEPORT_SHARDS).")
        reconciles = _number(environ, "THREEPORT_RECONCILES", AT_ONCE)
        if not reconciles:
            raise ConfigError("THREEPORT_RECONCILES is 0, but must be at least 1.")
        port = _number(environ, "THREEPORT_METRICS_PORT", 0)
        return cls(
            api=ClientSettings.from_environment(environ) if has_door else plain_kubernetes(),
            has_door=has_door,
            shard=shard,
            shards=shards,
            metrics_port=port or None,
            reconciles=reconciles,
        )


def plain_kubernetes() -> ClientSettings:
    """A Kubernetes API server as our API: from ``KUBECONFIG``, or from within a pod. Raises `ConfigError`."""
    settings = kopf.OperatorSettings()
    found = kopf.login_with_kubeconfig(settings=settings) or kopf.login_with_service_account(settings=settings)
    if found is None:
        raise ConfigError("Neither THREEPORT_API_URL nor KUBECONFIG is set, and this is no pod: no API to work with.")
    directory = Path(tempfile.mkdtemp(prefix="threeport-"))
    return ClientSettings(
        url=found.server,
        ca_file=_file(directory / "ca.crt", found.ca_path, found.ca_data),
        cert_file=_file(directory / "tls.crt", found.certificate_path, found.certificate_data),
        key_file=_file(directory / "tls.key", found.private_key_path, found.private_key_data),
        token=found.token,
        user_agent=USER_AGENT,
    )


def connection_info(api: ClientSettings) -> kopf.ConnectionInfo:
    """The same access in the form in which kopf takes it."""
    return kopf.ConnectionInfo(
        server=api.url,
        ca_path=api.ca_file,
        certificate_path=api.cert_file,
        private_key_path=api.key_file,
        token=Path(api.token_file).read_text().strip() if api.token_file else api.token,
    )


def _file(path: Path, existing: object, data: str | bytes | None) -> str | None:
    """A path for what is given as a path, or as PEM, or as PEM in base64 (as in kubeconfigs)."""
    if existing:
        return os.fsdecode(existing)  # type: ignore[arg-type] # one of str, bytes and PathLike
    if not data:
        return None
    raw = data.encode() if isinstance(data, str) else data
    path.touch(mode=0o600)
    path.write_bytes(raw if raw.startswith(b"-----") else base64.b64decode(raw))
    return str(path)


def _ordinal(hostname: str) -> int:
    """``controllers-3`` is the fourth pod of its StatefulSet."""
    match = re.search(r"-(\d+)$", hostname)
    if match is None:
        raise ConfigError("THREEPORT_SHARDS is above 1: set THREEPORT_SHARD too (HOSTNAME ends in no number).")
    return int(match.group(1))


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not text.isdigit():
        raise ConfigError(f"{name} is {text!r}, but must be a number.")
    return int(text)
