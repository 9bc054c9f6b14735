"""How to reach the cluster: a kubeconfig, or the ServiceAccount of the pod, as settings of our own client.

The client streams and pages, where the generated one would hold whole decoded lists: 5,000 pods must fit in 150 MiB.
"""

from __future__ import annotations

import atexit
import base64
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import kopf

from threeport.client import ClientSettings, ConfigError
from threeport.common.types import FrozenJson, JsonObject

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds token and CA (Kubernetes, "Accessing the Kubernetes API from a Pod")."""

CONNECTIONS: Final = 8


def settings_in_cluster(
    environ: Mapping[str, str], *, user_agent: str, account: Path = SERVICE_ACCOUNT
) -> ClientSettings:
    """The API server of the pod's own cluster. Raises `ConfigError` outside of one."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise ConfigError("The agent runs in no pod: set KUBECONFIG, or start it with --config FILE.")
    return ClientSettings(
        url=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca_file=str(account / "ca.crt"),
        token_file=str(account / "token"),
        max_connections=CONNECTIONS,
        user_agent=user_agent,
    )


def settings_of_kubeconfig(kubeconfig: FrozenJson, *, user_agent: str) -> ClientSettings:
    """The current context of a kubeconfig with token or client certificate. Raises `ConfigError` if it has none."""
    context = _named(kubeconfig, "contexts", "context", kubeconfig.get("current-context"))
    cluster = _named(kubeconfig, "clusters", "cluster", context.get("cluster"))
    user = _named(kubeconfig, "users", "user", context.get("user"))
    if "exec" in user or "auth-provider" in user:
        raise ConfigError("The kubeconfig wants a plugin to log in; the agent takes a token or a client certificate.")
    return ClientSettings(
        url=cluster["server"],
        ca_file=_file(cluster, "certificate-authority"),
        cert_file=_file(user, "client-certificate"),
        key_file=_file(user, "client-key"),
        token=user.get("token"),
        token_file=user.get("tokenFile"),
        server_name=cluster.get("tls-server-name"),
        max_connections=CONNECTIONS,
        user_agent=user_agent,
    )


def kopf_connection(settings: ClientSettings) -> kopf.ConnectionInfo:
    """The same access in the form in which kopf wants it."""
    token = Path(settings.token_file).read_text().strip() if settings.token_file else settings.token
    return kopf.ConnectionInfo(
        server=settings.url.rstrip("/"),
        ca_path=settings.ca_file,
        token=token,
        certificate_path=settings.cert_file,
        private_key_path=settings.key_file,
    )


def _named(kubeconfig: FrozenJson, plural: str, singular: str, name: object) -> JsonObject:
    for entry in kubeconfig.get(plural) or ():
        if entry.get("name") == name:
            return entry.get(singular) or {}
    raise ConfigError(f"The kubeconfig has no {singular} named {name!r}.")


def _file(entry: FrozenJson, field: str) -> str | None:
    """A path for what stands in the kubeconfig as a path or as base64 data; TLS libraries only take paths."""
    data = entry.get(f"{field}-data")
    if not data:
        return entry.get(field)
    path = _directory() / f"{field}-{abs(hash(data)):x}"
    path.touch(mode=0o600)
    path.write_bytes(base64.b64decode(data))
    return str(path)


@cache
def _directory() -> Path:
    """A directory for certificates, only for this user, that goes when the process ends."""
    made = tempfile.mkdtemp(prefix="threeport-agent-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
