"""Keys and certificates of a cluster, made by openssl.

The set is the one that `kubeadm` makes
(https://kubernetes.io/docs/setup/best-practices/certificates/), with EC P-256 keys:
these are made at once, RSA keys take a second each.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.cluster.errors import ClusterError, ProgramMissingError

DAYS = "3650"
CURVE = ("-pkeyopt", "ec_paramgen_curve:P-256")
SERVICE_ADDRESS = "10.96.0.1"
"""First address of the service range: the in-cluster address of the API."""

# openssl's own configuration would add extensions of an authority to every certificate.
CONFIGURATION = "[req]\ndistinguished_name = subject\n[subject]\n"

# Python 3.13 rejects an authority that has no keyUsage (ssl.VERIFY_X509_STRICT).
AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign")
CLIENT = ("keyUsage=critical,digitalSignature", "extendedKeyUsage=clientAuth")
SERVER = (
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    "subjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
    f"DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:{SERVICE_ADDRESS}",
)


class Identity(NamedTuple):
    """Whom a certificate speaks for: common name is the user, organisation the group."""

    subject: str
    extensions: tuple[str, ...]
    issuer: str


AUTHORITIES = {"ca": "/CN=kubernetes", "front-proxy-ca": "/CN=front-proxy"}
IDENTITIES = {
    "apiserver": Identity("/CN=kube-apiserver", SERVER, "ca"),
    "admin": Identity("/O=system:masters/CN=admin", CLIENT, "ca"),
    "kwok": Identity("/O=system:masters/CN=kwok", CLIENT, "ca"),
    "kube-controller-manager": Identity("/CN=system:kube-controller-manager", CLIENT, "ca"),
    "kube-scheduler": Identity("/CN=system:kube-scheduler", CLIENT, "ca"),
    "front-proxy-client": Identity("/CN=front-proxy-client", CLIENT, "front-proxy-ca"),
}


def make_certificates(directory: Path) -> None:
    """Write `<name>.crt` and `<name>.key` of every identity, and the service-account key pair."""
    if not shutil.which("openssl"):
        raise ProgramMissingError("openssl is not on PATH. Install OpenSSL 3 (Debian: apt-get install openssl).")
    directory.mkdir(mode=0o700, exist_ok=True)
    (directory / "openssl.cnf").write_text(CONFIGURATION)
    for name, subject in AUTHORITIES.items():
        _certify(directory, name, Identity(subject, AUTHORITY, name))
    for name, identity in IDENTITIES.items():
        _certify(directory, name, identity)
    _openssl(directory, "genpkey", "-algorithm", "EC", *CURVE, "-out", "service-account.key")
    _openssl(directory, "pkey", "-in", "service-account.key", "-pubout", "-out", "service-account.pub")


def _certify(directory: Path, name: str, identity: Identity) -> None:
    signed_by = []
    if identity.issuer != name:
        signed_by = ["-CA", f"{identity.issuer}.crt", "-CAkey", f"{identity.issuer}.key"]
    _openssl(
        directory, "req", "-x509", "-config", "openssl.cnf", "-days", DAYS, "-subj", identity.subject, *signed_by,
        "-newkey", "ec", *CURVE, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt",
        *(part for extension in identity.extensions for part in ("-addext", extension)),
    )  # fmt: skip


def _openssl(directory: Path, *arguments: str) -> None:
    answer = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if answer.returncode:
        # `req -CA` came with OpenSSL 3.0; 1.1 and LibreSSL lack it.
        raise ClusterError(f"openssl {arguments[0]} failed (OpenSSL 3 is needed): {answer.stderr.strip()}")
