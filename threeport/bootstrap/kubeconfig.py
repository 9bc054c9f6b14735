"""A person's kubeconfig as what the API needs to reach that cluster: endpoint, CA, and a token or certificate.

Plugins (``exec``) run here, on the person's machine, where the programs and logins are that they need.
https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ and .../client-authentication.v1/
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from threeport.bootstrap.errors import BootstrapError
from threeport.common.types import FrozenJson, JsonObject

PLUGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """How to reach a cluster. PEM where it says certificate or key."""

    endpoint: str
    certificate_authority: str | None = None
    token: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    tls_server_name: str | None = None
    expires: str | None = None
    """When the credentials end (RFC 3339), if the plugin that made them says so."""


def cluster_access(file: Path, context: str | None = None) -> ClusterAccess:
    """The access that a context of the kubeconfig gives; None is its current one.

    Raises `BootstrapError` that names what is missing or cannot be used.
    """
    return _Kubeconfig(file, context).access()


class _Kubeconfig:
    """One context of one file."""

    def __init__(self, file: Path, context: str | None) -> None:
        self._file = file
        document = _read(file)
        name = context or document.get("current-context")
        if not name:
            raise BootstrapError(f"{file} has no current context: choose one with --context ({_names(document)}).")
        chosen = _named(document, "contexts", "context", name)
        if chosen is None:
            raise BootstrapError(f"{file} has no context {name!r}: choose one with --context ({_names(document)}).")
        self._cluster = self._part(document, "clusters", "cluster", chosen.get("cluster"))
        self._user = self._part(document, "users", "user", chosen.get("user"))

    def access(self) -> ClusterAccess:
        server = self._cluster.get("server")
        if not server:
            raise BootstrapError(f"{self._file}: the cluster has no server.")
        if self._cluster.get("insecure-skip-tls-verify"):
            raise BootstrapError(
                f"{self._file} says insecure-skip-tls-verify, which gives the credentials to whoever answers at "
                f"{server}. Put the CA of the cluster into certificate-authority-data instead."
            )
        credentials = self._credentials()
        return ClusterAccess(
            endpoint=server,
            certificate_authority=self._pem(self._cluster, "certificate-authority"),
            tls_server_name=self._cluster.get("tls-server-name"),
            **credentials,
        )

    def _credentials(self) -> dict[str, str | None]:
        user = self._user
        if user.get("exec"):
            if not isinstance(user["exec"], dict) or not isinstance(user["exec"].get("command"), str):
                raise BootstrapError(f"{self._file}: the exec plugin of the user has no command.")
            return self._from_plugin(user["exec"])
        token = user.get("token") or (self._relative(user["tokenFile"]) if user.get("tokenFile") else None)
        certificate, key = self._pem(user, "client-certificate"), self._pem(user, "client-key")
        if not token and not (certificate and key):
            raise BootstrapError(
                f"{self._file}: the user has no token, no client certificate with its key, and no exec plugin; "
                "passwords and auth-provider are no longer understood by Kubernetes either."
            )
        return {"token": token.strip() if token else None, "client_certificate": certificate, "client_key": key}

    def _from_plugin(self, plugin: FrozenJson) -> dict[str, str | None]:
        """Runs the plugin as kubectl does and takes the credentials that it prints."""
        request = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
        if plugin.get("provideClusterInfo"):
            cluster = {"server": self._cluster.get("server")}
            if self._cluster.get("certificate-authority-data"):
                cluster["certificate-authority-data"] = self._cluster["certificate-authority-data"]
            request["spec"] = {"interactive": False, "cluster": cluster}
        variables = {entry["name"]: entry["value"] for entry in plugin.get("env") or ()}
        answer = _run(
            [plugin["command"], *(plugin.get("args") or ())],
            {**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(request)},
            self._file,
        )
        status = answer.get("status") or {}
        if not status.get("token") and not status.get("clientCertificateData"):
            raise BootstrapError(f"{self._file}: the plugin {plugin['command']} gave no credentials.")
        return {
            "token": status.get("token"),
            "client_certificate": status.get("clientCertificateData"),
            "client_key": status.get("clientKeyData"),
            "expires": status.get("expirationTimestamp"),
        }

    def _pem(self, part: FrozenJson, field: str) -> str | None:
        """A field that holds data (base64) or the path of a file."""
        if part.get(f"{field}-data"):
            try:
                return base64.b64decode(part[f"{field}-data"], validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise BootstrapError(f"{self._file}: {field}-data is not base64.") from None
        return self._relative(part[field]) if part.get(field) else None

    def _relative(self, path: str) -> str:
        """The text of a file; paths are relative to the kubeconfig."""
        file = self._file.parent / path
        try:
            return file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text (PEM)"
            raise BootstrapError(f"{self._file} names {file}, which cannot be read: {why}.") from None

    def _part(self, document: FrozenJson, section: str, field: str, name: str | None) -> JsonObject:
        found = _named(document, section, field, name) if name else None
        if found is None:
            raise BootstrapError(f"{self._file}: the context names a {field} {name!r} that is not among its {section}.")
        return found


def _read(file: Path) -> JsonObject:
    try:
        document = yaml.safe_load(file.read_text())
    except OSError as error:
        raise BootstrapError(f"{file} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BootstrapError(f"{file} is no kubeconfig: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("contexts"), list):
        raise BootstrapError(f"{file} is no kubeconfig: it has no contexts.")
    for section, field in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
        entries = document.get(section) or []
        if not isinstance(entries, list) or not all(_is_entry(entry, field) for entry in entries):
            raise BootstrapError(f"{file} is no kubeconfig: {section} has to be a list of name and {field}.")
    return document


def _is_entry(entry: object, field: str) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get(field) or {}, dict)


def _named(document: FrozenJson, section: str, field: str, name: str) -> JsonObject | None:
    entries: list[Any] = document.get(section) or []
    return next((entry.get(field) or {} for entry in entries if entry.get("name") == name), None)


def _names(document: FrozenJson) -> str:
    return ", ".join(sorted(str(entry.get("name")) for entry in document["contexts"])) or "it has none"


def _run(command: list[str], environment: Mapping[str, str], file: Path) -> JsonObject:
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=PLUGIN_SECONDS, check=False
        )
        if answer.returncode != 0:
            raise BootstrapError(f"{file}: the plugin {command[0]} failed: {answer.stderr.strip()[-500:]}")
        parsed = json.loads(answer.stdout)
    except FileNotFoundError:
        raise BootstrapError(f"{file} needs the plugin {command[0]}, which is not on PATH: install it.") from None
    except subprocess.TimeoutExpired:
        raise BootstrapError(f"{file}: the plugin {command[0]} did not end within {PLUGIN_SECONDS:.0f} s.") from None
    except json.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        raise BootstrapError(f"{file}: the plugin {command[0]} printed no ExecCredential.")
    return parsed
