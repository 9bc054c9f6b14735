"""Where it happens: three API processes on a PostgreSQL and a NATS of their own, every connection by way of a link."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

import orjson
import psycopg
from psycopg.rows import TupleRow

from tests.fixtures.api import Api, ApiProcess, settings_of
from tests.fixtures.link import Link, link_to
from tests.fixtures.ports import free_port
from tests.integration.exactness.history import Version, version_of
from threeport.bootstrap.local.identities import prepare_identities
from threeport.bootstrap.local.nats import NatsServer
from threeport.bootstrap.local.postgres import PostgresServer, new_password
from threeport.bootstrap.local.processes import LOOPBACK, ServerProcess

PROCESSES = 3
RESOURCE = "workloaddefinitions.threeport.io"


@dataclass(frozen=True)
class Links:
    """The ways that one API process is reached by and reaches others."""

    clients: Link
    database: Link
    broker: Link


class ShiftedApiProcess(ApiProcess):
    """An API process whose wall clock a file can shift."""

    @property
    def shift(self) -> Path:
        """The file: microseconds as text."""
        return self.directory / "shift"

    def prepare(self) -> None:
        super().prepare()
        self.set_shift(0)

    def command(self) -> list[str]:
        python, _, module = super().command()
        return [python, str(Path(__file__).with_name("shifted_clock.py")), str(self.shift), module]

    def set_shift(self, micros: int) -> None:
        """How far ahead of the machine's clock the process's is; holds from its next look at the clock."""
        made = self.shift.with_suffix(".new")
        made.write_text(str(micros))
        made.rename(self.shift)


class Site:
    """All the servers of one test session; a context manager."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()
        self.postgres = PostgresServer(directory / "postgres", password=new_password(), port=free_port())
        self.nats = NatsServer(directory / "nats", port=free_port())
        self.apis: list[Api] = []
        self.links: list[Links] = []
        self.stream = ""

    @property
    def processes(self) -> list[ShiftedApiProcess]:
        """The API processes."""
        return [api.process for api in self.apis if isinstance(api.process, ShiftedApiProcess)]

    @property
    def urls(self) -> list[str]:
        """Where clients reach the API processes."""
        return [f"https://{LOOPBACK}:{links.clients.port}" for links in self.links]

    def __enter__(self) -> Site:
        files = prepare_identities(self._directory / "identities", controllers=())
        for server in (self.postgres, self.nats):
            self._start(server)
        settings = settings_of(self.postgres.dsn, self.nats.url, files)
        self.stream = settings["THREEPORT_NATS_STREAM"]
        for number in range(PROCESSES):
            database, broker = self._link(self.postgres.port), self._link(self.nats.port)
            own = settings | {
                "THREEPORT_DATABASE_URL": _by_way_of(database, self.postgres.dsn),
                "THREEPORT_NATS_URL": _by_way_of(broker, self.nats.url),
            }
            process = ShiftedApiProcess(self._directory / f"api{number}", own, files.authority.certificate)
            self.links.append(Links(self._link(process.port), database, broker))
            self.apis.append(Api(process, files, settings["THREEPORT_DATABASE_SCHEMA"], own))
            self._start(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def connect(self) -> psycopg.Connection[TupleRow]:
        """A connection to the database, not by way of a link, in the schema of the API."""
        return psycopg.connect(
            self.postgres.dsn, autocommit=True, connect_timeout=5, options=f"-c search_path={self.apis[0].schema}"
        )

    def truth(self, namespace: str) -> tuple[list[Version], list[Version]]:
        """Objects and tombstones of a namespace, as they are in the tables."""
        with self.connect() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return self._rows(connection, "objects", namespace), self._rows(connection, "tombstones", namespace)

    def _rows(self, connection: psycopg.Connection[TupleRow], table: str, namespace: str) -> list[Version]:
        query = f"SELECT body, revision FROM {table} WHERE resource = %s AND namespace = %s ORDER BY uid"
        return [_version(*row) for row in connection.execute(query.encode(), (RESOURCE, namespace))]

    def _link(self, port: int) -> Link:
        return self._stack.enter_context(link_to(LOOPBACK, port))

    def _start(self, server: ServerProcess) -> None:
        self._stack.callback(server.stop)
        server.start()


def new_namespace(seed: int) -> str:
    """A name for the namespace of one run."""
    return f"seed{seed}-{uuid.uuid4().hex[:6]}"


def _by_way_of(link: Link, url: str) -> str:
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{credentials}{at}{LOOPBACK}:{link.port}"))


def _version(body: str, revision: int) -> Version:
    obj = orjson.loads(body)
    obj["metadata"]["resourceVersion"] = str(revision)
    return version_of(obj)
