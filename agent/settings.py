"""Where the agent finds its cluster and the Threeport API: from a configuration file, or from the environment.

The file is written by the controller that installs agents on the machine of a local control plane; in a pod the
environment and the mounted ServiceAccount say the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import orjson
import yaml

from agent.cluster.access import settings_in_cluster, settings_of_kubeconfig
from threeport.client import ClientSettings, ConfigError
from threeport.common.types import FrozenJson

USER_AGENT: Final = "threeport-agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """The runtime that the agent speaks for, and the two API servers that it stands between."""

    runtime: str
    cluster: ClientSettings
    api: ClientSettings
    metrics_port: int | None = None
    metrics_host: str | None = "127.0.0.1"
    """None: on all interfaces, as in a pod."""


def settings_from_file(path: Path) -> AgentSettings:
    """Reads ``{runtime, kubeconfig, token, apiUrl, caFile, metricsPort}``.

    Raises `ConfigError` that names what is missing.
    """
    try:
        content = orjson.loads(path.read_bytes())
        api = ClientSettings(
            url=content["apiUrl"], ca_file=content.get("caFile"), token=content["token"], user_agent=USER_AGENT
        )
        cluster = settings_of_kubeconfig(_decoded(content["kubeconfig"]), user_agent=USER_AGENT)
        port = content.get("metricsPort")
        return AgentSettings(runtime=content["runtime"], cluster=cluster, api=api, metrics_port=port)
    except OSError as error:
        raise ConfigError(f"The agent's configuration {path} cannot be read: {error.strerror}.") from None
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"The agent's configuration {path} is not JSON: {error}.") from None
    except KeyError as error:
        raise ConfigError(f"The agent's configuration {path} has no {error}.") from None


def settings_from_environment(environ: Mapping[str, str] = os.environ) -> AgentSettings:
    """Reads ``THREEPORT_RUNTIME``, ``THREEPORT_METRICS_PORT``, those of `ClientSettings.from_environment`, and
    ``KUBECONFIG`` unless in a pod."""
    runtime = environ.get("THREEPORT_RUNTIME")
    if not runtime:
        raise ConfigError("THREEPORT_RUNTIME is not set: it must be the name of the KubernetesRuntimeInstance.")
    api = replace(ClientSettings.from_environment(environ), user_agent=USER_AGENT)
    port = environ.get("THREEPORT_METRICS_PORT") or ""
    if port and not port.isdigit():
        raise ConfigError(f"THREEPORT_METRICS_PORT is {port!r}, but must be a number.")
    return AgentSettings(
        runtime=runtime,
        cluster=_cluster_of(environ),
        api=api,
        metrics_port=int(port) if port else None,
        metrics_host=None if "KUBERNETES_SERVICE_HOST" in environ else "127.0.0.1",
    )


def _cluster_of(environ: Mapping[str, str]) -> ClientSettings:
    kubeconfig = environ.get("KUBECONFIG")
    if not kubeconfig:
        return settings_in_cluster(environ, user_agent=USER_AGENT)
    try:
        return settings_of_kubeconfig(_decoded(Path(kubeconfig).read_text()), user_agent=USER_AGENT)
    except OSError as error:
        raise ConfigError(f"KUBECONFIG names {kubeconfig}, which cannot be read: {error.strerror}.") from None


def _decoded(kubeconfig: str | FrozenJson) -> FrozenJson:
    """A kubeconfig as an object, or as the text of one (YAML, which JSON is too)."""
    content = yaml.safe_load(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
    if not isinstance(content, dict):
        raise ConfigError("The kubeconfig is not a mapping.")
    return content
