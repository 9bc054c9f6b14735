"""Where it happens: three API processes on a PostgreSQL and a NATS of their own, every connection by way of a link."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

import orjson
import psycopg
from psycopg.rows import TupleRow

from tests.fixtures.api import Api, ApiProcess, settings_of
from tests.fixtures.link import Link, LinkState, link_to
from tests.fixtures.ports import free_port
from tests.integration.exactness.history import Version, version_of
from tests.integration.exactness.strained_process import RAN_OVER
from threeport.bootstrap.local.identities import prepare_identities
from threeport.bootstrap.local.nats import NatsServer
from threeport.bootstrap.local.postgres import PostgresServer, new_password
from threeport.bootstrap.local.processes import LOOPBACK, ServerFailed, ServerProcess

PROCESSES = 3
RESOURCE = "workloaddefinitions.threeport.io"
ALL_TOMBSTONES = "(SELECT * FROM tombstones UNION ALL SELECT * FROM swept) AS t"
KEEP_SWEPT = (
    b"CREATE TABLE swept (LIKE tombstones)",
    b"""CREATE FUNCTION keep_swept() RETURNS TRIGGER LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO swept SELECT OLD.*;
            RETURN OLD;
        END
    $$""",
    b"CREATE TRIGGER keep_swept AFTER DELETE ON tombstones FOR EACH ROW EXECUTE FUNCTION keep_swept()",
)
CLIENT_BUFFER = 16 * 1024
"""Bytes that the way to a client holds: of one who does not read the server learns soon."""
START_SECONDS = 300.0
"""For a server to start, a database after its recovery included, on a machine with much else to do."""


@dataclass(frozen=True)
class Links:
    """The ways that one API process is reached by and reaches others."""

    clients: Link
    database: Link
    broker: Link


class StrainedApiProcess(ApiProcess):
    """An API process whose wall clock a file can shift, and whose limits can be shortened."""

    start_seconds = START_SECONDS
    short = False
    """Whether its limits are short from its next start on."""

    @property
    def shift(self) -> Path:
        """The file: microseconds as text."""
        return self.directory / "shift"

    def prepare(self) -> None:
        super().prepare()
        self.set_shift(0)

    def command(self) -> list[str]:
        python, _, module = super().command()
        launcher = str(Path(__file__).with_name("strained_process.py"))
        return [python, launcher, str(self.shift), module, *(["short"] if self.short else [])]

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
    def processes(self) -> list[StrainedApiProcess]:
        """The API processes."""
        return [api.process for api in self.apis if isinstance(api.process, StrainedApiProcess)]

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
            process = StrainedApiProcess(self._directory / f"api{number}", own, files.authority.certificate)
            self.links.append(Links(self._link(process.port, buffer=CLIENT_BUFFER), database, broker))
            self.apis.append(Api(process, files, settings["THREEPORT_DATABASE_SCHEMA"], own))
            self._start(process)
        self._keep_what_is_swept()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def use_short_limits(self, short: bool) -> None:
        """Starts the API processes again, with short limits or the usual ones, if they have others."""
        for process in self.processes:
            if process.short is not short:
                process.stop()
                process.short = short
                process.start()

    def revive(self) -> None:
        """Opens all links and starts whatever does not run, after a round that broke off in the middle."""
        for links in self.links:
            for link in (links.clients, links.database, links.broker):
                link.become(LinkState.OPEN)
        for server in (self.postgres, self.nats, *self.processes):
            server.stop()
            start(server)

    def ran_over(self) -> int:
        """How many watches have run over so far; told with short limits only."""
        return sum(process.log.read_text(errors="replace").count(RAN_OVER) for process in self.processes)

    def connect(self) -> psycopg.Connection[TupleRow]:
        """A connection to the database, not by way of a link, in the schema of the API."""
        return psycopg.connect(
            self.postgres.dsn, autocommit=True, connect_timeout=5, options=f"-c search_path={self.apis[0].schema}"
        )

    def truth(self, namespace: str) -> tuple[list[Version], list[Version]]:
        """Objects and tombstones of a namespace, as they are in the tables."""
        with self.connect() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return self._rows(connection, "objects", namespace), self._rows(connection, ALL_TOMBSTONES, namespace)

    def _keep_what_is_swept(self) -> None:
        """The database keeps tombstones that were swept, for the judgement of what has become of their objects."""
        with self.connect() as connection:
            for statement in KEEP_SWEPT:
                connection.execute(statement)

    def _rows(self, connection: psycopg.Connection[TupleRow], table: str, namespace: str) -> list[Version]:
        query = f"SELECT body, revision FROM {table} WHERE resource = %s AND namespace = %s ORDER BY uid"
        return [_version(*row) for row in connection.execute(query.encode(), (RESOURCE, namespace))]

    def _link(self, port: int, *, buffer: int | None = None) -> Link:
        return self._stack.enter_context(link_to(LOOPBACK, port, buffer=buffer))

    def _start(self, server: ServerProcess) -> None:
        self._stack.callback(server.stop)
        start(server)


def start(server: ServerProcess) -> None:
    """Start a server; it may take many attempts while others are down, too, or the machine has much else to do."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(ServerFailed):
            return server.start()
    return server.start()


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
