"""The files by which the parts of an installation know each other: authorities, certificates, keys, kubeconfig.

What is there and still good is kept, so that this can run at every start. Keys are never replaced: what was sealed
with one could not be opened any more.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import yaml

from threeport.apiserver import identities
from threeport.bootstrap.local.certificates import (
    Certificate,
    is_current,
    issue_client,
    issue_server,
    names_of,
    new_authority,
)
from threeport.krm.interfaces import Identity
from threeport.krm.sealing import KEY_BYTES


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a certificate and its key are."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """All files of identity of one installation, below one directory that only its owner can read."""

    directory: Path

    @property
    def authority(self) -> CertificateFiles:
        """The authority of servers; clients trust its certificate (``ca.crt``)."""
        return self._pair("ca")

    @property
    def client_authority(self) -> CertificateFiles:
        """The authority of clients; the API trusts its certificate."""
        return self._pair("client-ca")

    @property
    def server(self) -> CertificateFiles:
        """What servers of the installation show."""
        return self._pair("server")

    @property
    def admin(self) -> CertificateFiles:
        """What the administrator shows."""
        return self._pair("admin")

    def controller(self, name: str) -> CertificateFiles:
        """What the controller of this name shows."""
        return self._pair(f"controller-{name}")

    @property
    def keys(self) -> Path:
        """The directory with ``sealing.key`` and ``tokens.key`` (THREEPORT_KEYS_DIR)."""
        return self.directory / "keys"

    def _pair(self, name: str) -> CertificateFiles:
        return CertificateFiles(self.directory / f"{name}.crt", self.directory / f"{name}.key")


def prepare_identities(
    directory: Path, *, hosts: Sequence[str] = ("127.0.0.1", "localhost"), controllers: Sequence[str] = ()
) -> IdentityFiles:
    """Makes what is missing or about to expire, and returns where everything is.

    `hosts` are the names and addresses of the servers; when they change, the server's certificate is issued anew.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = IdentityFiles(directory)
    authority = _kept(files.authority, lambda: new_authority("threeport-ca"))
    clients = _kept(files.client_authority, lambda: new_authority("threeport-client-ca"))
    if files.server.certificate.exists() and set(names_of(files.server.certificate.read_bytes())) != set(hosts):
        files.server.certificate.unlink()
    _kept(files.server, lambda: issue_server(authority, hosts=hosts))
    _kept(files.admin, partial(_client, clients, identities.admin()))
    for name in controllers:
        _kept(files.controller(name), partial(_client, clients, identities.controller(name)))
    prepare_keys(files.keys)
    return files


def prepare_keys(directory: Path) -> None:
    """Makes ``sealing.key`` and ``tokens.key``, 32 random bytes in base64 each, where they are missing."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("sealing.key", "tokens.key"):
        if not (directory / name).exists():
            _write_private(directory / name, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")


def viewer_certificate(files: IdentityFiles, name: str, *, life: timedelta) -> Certificate:
    """A certificate with which a person may look and change nothing. It is kept nowhere. Raises `OSError`."""
    authority = files.client_authority
    signer = Certificate(authority.certificate.read_bytes(), authority.key.read_bytes())
    identity = identities.viewer(name)
    return issue_client(signer, name=identity.name, groups=identity.groups, life=life)


def kubeconfig(
    url: str, *, authority: bytes, certificate: bytes, key: bytes, name: str = "threeport", namespace: str = "default"
) -> str:
    """The text of a kubeconfig with one context `name`, everything inline (arguments are PEM)."""

    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url, "certificate-authority-data": encoded(authority)}}],
        "users": [
            {"name": name, "user": {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}}
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    return yaml.safe_dump(document, sort_keys=False)


def _client(authority: Certificate, identity: Identity) -> Certificate:
    return issue_client(authority, name=identity.name, groups=identity.groups)


def _kept(files: CertificateFiles, issue: Callable[[], Certificate]) -> Certificate:
    """The certificate that is there, or a new one if it is missing or about to expire."""
    if files.certificate.exists() and files.key.exists() and is_current(files.certificate.read_bytes()):
        return Certificate(files.certificate.read_bytes(), files.key.read_bytes())
    made = issue()
    _write_private(files.key, made.key)
    _write_private(files.certificate, made.certificate)
    return made


def _write_private(path: Path, data: bytes) -> None:
    """Writes a file that is either there as a whole or not at all, for its owner only."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    partial.replace(path)
