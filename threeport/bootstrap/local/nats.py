"""nats-server with JetStream as a process of this user, from the binary of a wheel."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from threeport.bootstrap.local.processes import LOOPBACK, ServerFailed, ServerProcess, end_leftover, free_port

MAX_PAYLOAD = 1 << 20
MAX_FILE_STORE = 1 << 30
"""Bytes that streams may reserve together: a stream that asks for more than is left is refused."""


@dataclass(frozen=True, slots=True)
class NatsUser:
    """Who may connect. Without any subjects it may use all; with some, only these, in the direction they are for."""

    name: str
    password: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NatsTls:
    """The server's certificate and key, and the CA that clients' certificates must come from (None: none needed)."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None


class NatsServer(ServerProcess):
    """nats-server on a port of loopback. Without `users` anyone who reaches the port may do anything."""

    name = "nats-server"

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        users: Sequence[NatsUser] = (),
        tls: NatsTls | None = None,
        file_store: int = MAX_FILE_STORE,
    ) -> None:
        super().__init__(directory)
        self.port = port or free_port()
        self.users = tuple(users)
        self.tls = tls
        self.file_store = file_store

    @property
    def url(self) -> str:
        """The URL that clients connect to; names and passwords are theirs to add."""
        return f"{'tls' if self.tls else 'nats'}://{LOOPBACK}:{self.port}"

    @property
    def _server_name(self) -> str:
        return f"threeport-{hashlib.sha256(str(self.directory).encode()).hexdigest()[:16]}"

    @property
    def settings_file(self) -> Path:
        return self.directory / "nats.conf"

    def prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        end_leftover(self.directory / "nats.pid", belongs_to=self.settings_file)
        descriptor = os.open(self.settings_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self._settings(), file, indent=2, ensure_ascii=False)

    def command(self) -> list[str]:
        return [_binary(), "--config", str(self.settings_file)]

    def ready(self) -> bool:
        """The first thing a server says is INFO, in clear text even where TLS follows. Its name tells whether it is
        this one, or another that took the port."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                greeting = connection.recv(4096)
        except OSError:
            return False
        return self._server_name.encode() in greeting and b'"jetstream":true' in greeting

    def _settings(self) -> dict[str, object]:
        """The configuration; JSON without ``\\u`` escapes is a subset of the format that nats-server reads."""
        settings: dict[str, object] = {
            "server_name": self._server_name,
            "listen": f"{LOOPBACK}:{self.port}",
            "pid_file": str(self.directory / "nats.pid"),
            "max_payload": MAX_PAYLOAD,
            "jetstream": {"store_dir": str(self.directory / "store"), "max_file_store": self.file_store},
        }
        if self.users:
            settings["authorization"] = {"users": [_user(user) for user in self.users]}
        if self.tls:
            settings["tls"] = _tls(self.tls)
        return settings


def _user(user: NatsUser) -> dict[str, object]:
    described: dict[str, object] = {"user": user.name, "password": user.password}
    if user.publish or user.subscribe:
        described["permissions"] = {"publish": _only(user.publish), "subscribe": _only(user.subscribe)}
    return described


def _only(subjects: Sequence[str]) -> dict[str, list[str]]:
    """To nats-server an empty list allows everything, so nothing has to be denied in words."""
    return {"allow": list(subjects)} if subjects else {"deny": [">"]}


def _tls(tls: NatsTls) -> dict[str, object]:
    described: dict[str, object] = {"cert_file": str(tls.cert_file), "key_file": str(tls.key_file)}
    if tls.client_ca_file:
        described |= {"ca_file": str(tls.client_ca_file), "verify": True}
    return described


def _binary() -> str:
    """The wheel puts it beside this Python's scripts; else it is looked for on PATH."""
    found = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
    if found is None:
        raise ServerFailed("no nats-server here: pip install 'threeport[local]', or put nats-server on PATH")
    return found
