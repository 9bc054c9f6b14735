"""What a local control plane consists of: which processes, with which environment, in which order.

Each process gets an environment of its own that holds no more than it needs: the controllers never see the
database, and the agents see nothing but their own runtime.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from threeport.bootstrap.local.cockroach import CockroachServer
from threeport.bootstrap.local.identities import IdentityFiles, prepare_identities
from threeport.bootstrap.local.installation import Installation, LocalSettings, metrics_port_of
from threeport.bootstrap.local.nats import NatsServer, NatsTls, NatsUser
from threeport.bootstrap.local.postgres import PostgresServer
from threeport.bootstrap.local.processes import LOOPBACK, ServerProcess
from threeport.controller.installed import installed_controllers

NATS_USER = "api"
PROBE_SECONDS = 3.0
SETTLED = 1.5
"""Seconds after which a program that cannot be asked counts as running: wrong settings show within them."""

_INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONPATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy",
)  # fmt: skip
"""What processes get of the environment of the person who started the control plane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One process of a control plane. `after` names the components that must answer before it starts."""

    name: str
    server: ServerProcess
    after: tuple[str, ...] = ()
    port: str = ""
    """The name, among the ports of the settings, of the one where it listens."""
    address: str = ""
    """Where it listens, for people."""
    fingerprint: str = ""
    """Changes when the process has to be started anew to take in what has changed."""


class Program(ServerProcess):
    """A program of this project. It answers when `probe` says so; without a probe, once it has run for `SETTLED`."""

    def __init__(
        self,
        directory: Path,
        *,
        name: str,
        module: str,
        arguments: tuple[str, ...] = (),
        environment: Mapping[str, str],
        probe: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(directory)
        self.name = name
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = environment
        self._probe = probe
        self._prepared = 0.0

    def prepare(self) -> None:
        self._prepared = time.monotonic()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return self._command

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def ready(self) -> bool:
        return self._probe() if self._probe else time.monotonic() - self._prepared > SETTLED


def components(installation: Installation, settings: LocalSettings) -> list[Component]:
    """All processes that this control plane should have now, in the order of their start.

    Makes missing certificates and keys on the way.
    """
    # One that was installed since the control plane started has no port yet: the API does not know its kinds either.
    controllers = [name for name in installed_controllers() if metrics_port_of(name) in settings.ports]
    files = prepare_identities(installation.identities, controllers=controllers)
    plan = _Plan(installation, settings, files)
    found = [plan.database(), plan.nats(), *plan.api()]
    if settings.simulated:
        found.append(plan.simulated())
    found += [plan.controller(name) for name in controllers]
    found += [plan.agent(file) for file in sorted(installation.agents.glob("*.json"))]
    for component in found:
        component.server.log = installation.logs / f"{component.name}.log"
    return [replace(component, fingerprint=_fingerprint(component)) for component in found]


def _fingerprint(component: Component) -> str:
    """Changes with all that the process is told: its environment, where it listens, the file that it reads."""
    told = (sorted(component.server.environment().items()), component.address, component.fingerprint)
    return hashlib.sha256(repr(told).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Plan:
    """The components of one installation, one method each."""

    installation: Installation
    settings: LocalSettings
    files: IdentityFiles

    def database(self) -> Component:
        server = self._database_server()
        return Component(name=self.settings.database, server=server, port="postgres", address=self._address("postgres"))

    def nats(self) -> Component:
        server = NatsServer(
            self.installation.directory / "nats",
            port=self.settings.ports["nats"],
            users=[NatsUser(NATS_USER, self.settings.nats_password)],
            tls=NatsTls(self.files.server.certificate, self.files.server.key),
        )
        return Component(
            name="nats", server=server, port="nats", address=self._address("nats"), fingerprint=_content(self._shown)
        )

    def api(self) -> list[Component]:
        """The API processes; they share one port."""
        environment = _environment(
            THREEPORT_LISTEN=self._address("api"),
            THREEPORT_SHARE_PORT=str(self.settings.api_processes > 1).lower(),
            THREEPORT_DATABASE_URL=self._database_server().dsn,
            THREEPORT_NATS_URL=f"tls://{self._address('nats')}",
            THREEPORT_NATS_USER=NATS_USER,
            THREEPORT_NATS_PASSWORD=self.settings.nats_password,
            THREEPORT_NATS_CA=str(self.files.authority.certificate),
            THREEPORT_TLS_CERT=str(self.files.server.certificate),
            THREEPORT_TLS_KEY=str(self.files.server.key),
            THREEPORT_CLIENT_CA=str(self.files.client_authority.certificate),
            THREEPORT_KEYS_DIR=str(self.files.keys),
        )
        count = self.settings.api_processes
        names = ["api"] if count == 1 else [f"api-{number}" for number in range(count)]
        return [
            self._program(
                name,
                "threeport.apiserver",
                environment,
                after=(self.settings.database, "nats"),
                port="api",
                fingerprint=_content(self._shown),
            )
            for name in names
        ]

    def simulated(self) -> Component:
        environment = _environment(
            THREEPORT_SIMULATED_LISTEN=self._address("simulated"),
            THREEPORT_DATABASE_URL=self._database_server().dsn,
            THREEPORT_TLS_CERT=str(self.files.server.certificate),
            THREEPORT_TLS_KEY=str(self.files.server.key),
            THREEPORT_SIMULATED_TOKEN_FILE=str(self.installation.simulated_token),
        )
        return self._program(
            "simulated",
            "threeport.simulated",
            environment,
            after=(self.settings.database,),
            port="simulated",
            fingerprint=_content(self._shown),
        )

    def controller(self, name: str) -> Component:
        identity = self.files.controller(name)
        metrics = metrics_port_of(name)
        environment = _environment(
            THREEPORT_METRICS_PORT=str(self.settings.ports[metrics]),
            THREEPORT_API_URL=self._api_url,
            THREEPORT_CA_FILE=str(self.files.authority.certificate),
            THREEPORT_CLIENT_CERT=str(identity.certificate),
            THREEPORT_CLIENT_KEY=str(identity.key),
        )
        if name == "kubernetes-runtime":
            environment["THREEPORT_AGENT_DIR"] = str(self.installation.agents)
            environment["THREEPORT_SIMULATED_URL"] = f"https://{self._address('simulated')}"
            environment["THREEPORT_SIMULATED_TOKEN_FILE"] = str(self.installation.simulated_token)
        return self._program(
            f"controller-{name}",
            "threeport.controller",
            environment,
            arguments=(name,),
            after=self._api_names,
            port=metrics,
            path="/metrics",
            fingerprint=_content(identity.certificate),
        )

    def agent(self, file: Path) -> Component:
        """The agent of one runtime. A changed file (a new token, a new endpoint) starts it anew."""
        return self._program(
            f"agent-{file.stem}",
            "agent",
            _environment(),
            arguments=("--config", str(file)),
            after=self._api_names,
            fingerprint=_content(file),
        )

    @property
    def _shown(self) -> Path:
        """The certificate that servers show. They read it when they start: a renewed one starts them anew."""
        return self.files.server.certificate

    def _address(self, port: str) -> str:
        return f"{LOOPBACK}:{self.settings.ports[port]}"

    @property
    def _api_url(self) -> str:
        return f"https://{self._address('api')}"

    @property
    def _api_names(self) -> tuple[str, ...]:
        return ("api",) if self.settings.api_processes == 1 else ("api-0",)

    def _database_server(self) -> PostgresServer | CockroachServer:
        directory, port = self.installation.directory / self.settings.database, self.settings.ports["postgres"]
        if self.settings.database == "cockroach":
            return CockroachServer(directory, port=port)
        return PostgresServer(directory, password=self.settings.database_password, port=port)

    def _program(
        self,
        name: str,
        module: str,
        environment: Mapping[str, str],
        *,
        arguments: tuple[str, ...] = (),
        after: tuple[str, ...],
        port: str = "",
        path: str = "",
        fingerprint: str = "",
    ) -> Component:
        """One that serves under no `path` serves the API's ``/readyz``, which tells when it is ready."""
        authority = self.files.authority.certificate
        server = Program(
            self.installation.directory,
            name=name,
            module=module,
            arguments=arguments,
            environment=environment,
            probe=partial(answers_ready, self.settings.ports[port], authority) if port and not path else None,
        )
        address = f"{self._address(port)}{path}" if port else ""
        return Component(name=name, server=server, after=after, port=port, address=address, fingerprint=fingerprint)


def _content(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def answers_ready(port: int, authority: Path) -> bool:
    """Whether the server on this port of loopback shows a certificate of the authority and says that it is ready."""
    connection = http.client.HTTPSConnection(
        LOOPBACK, port, timeout=PROBE_SECONDS, context=ssl.create_default_context(cafile=authority)
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _environment(**variables: str) -> dict[str, str]:
    """What a process gets: the given variables, and the few of ours that every process needs."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    away = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), LOOPBACK, "localhost")))
    return {**inherited, "NO_PROXY": away, "no_proxy": away, "PYTHONUNBUFFERED": "1", **variables}
