"""CockroachDB as a process of this user, where `cockroach` is on PATH: one node, on loopback, with certificates.

https://www.cockroachlabs.com/docs/stable/secure-a-cluster and ``cockroach-start-single-node``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from threeport.bootstrap.local.processes import LOOPBACK, ServerFailed, ServerProcess

USER = "root"
DATABASE = "defaultdb"


class CockroachServer(ServerProcess):
    """CockroachDB on a port of loopback; clients show the certificate of its root user."""

    name = "CockroachDB"
    start_seconds = 60.0

    def __init__(self, directory: Path, *, port: int) -> None:
        super().__init__(directory)
        self.port = port

    @property
    def dsn(self) -> str:
        """The URL that clients connect with."""
        options = {
            "sslmode": "verify-full",
            "sslrootcert": str(self._certificates / "ca.crt"),
            "sslcert": str(self._certificates / f"client.{USER}.crt"),
            "sslkey": str(self._certificates / f"client.{USER}.key"),
        }
        return f"postgresql://{USER}@{LOOPBACK}:{self.port}/{DATABASE}?{urlencode(options, safe='/')}"

    @property
    def _certificates(self) -> Path:
        return self.directory / "certificates"

    def prepare(self) -> None:
        self._certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
        shared = [f"--certs-dir={self._certificates}", f"--ca-key={self.directory / 'ca.key'}"]
        for made, command in (
            ("ca.crt", ["create-ca"]),
            ("node.crt", ["create-node", LOOPBACK, "localhost"]),
            (f"client.{USER}.crt", ["create-client", USER]),
        ):
            if not (self._certificates / made).exists():
                _run([_binary(), "cert", *command, *shared])

    def command(self) -> list[str]:
        return [
            _binary(),
            "start-single-node",
            f"--certs-dir={self._certificates}",
            f"--store={self.directory / 'data'}",
            f"--listen-addr={LOOPBACK}:{self.port}",
            f"--http-addr={LOOPBACK}:0",
        ]

    def ready(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True


def _run(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    if answer.returncode != 0:
        raise ServerFailed(f"{' '.join(command[:3])} failed: {answer.stderr.strip()}")


def _binary() -> str:
    found = shutil.which("cockroach")
    if found is None:
        raise ServerFailed("`cockroach` was on PATH when this control plane was made, and is no more: put it back")
    return found
