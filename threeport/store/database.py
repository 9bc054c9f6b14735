"""The pool of connections, and the one place where statements are repeated and errors of the driver get a name.

What may be repeated depends on what is known of the attempt:

- the database says that it changed nothing and that another try may succeed (40001, 40P01): repeated here, with
  jitter, so bodies of transactions must be free of side effects;
- the connection was lost while the answer was awaited: for a read that means to read again, for a write nobody
  knows what became of it. Then `OutcomeUnknown` is raised, for those who can find out.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import orjson
import psycopg
from psycopg import AsyncConnection, conninfo
from psycopg.crdb import AsyncCrdbConnection
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from threeport.store.records import RowLocked, StoreBusy, StoreUnavailable, TookTooLong

Row: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = Mapping[str, object] | Sequence[object]
Connection: TypeAlias = AsyncConnection[Row]

T = TypeVar("T")

STATEMENT_SECONDS = 4
"""A statement that takes longer is ended by the database. With the second that a stamp may be off, a single statement
commits within `threeport.common.revisions.TRANSACTION_LIMIT` of its stamp."""

CONNECT_SECONDS = 3
POOL_SECONDS = 3.0
"""How long a request waits for a connection before the database counts as unavailable."""

ANSWER_SECONDS = 10.0
"""When the database neither answers nor breaks the connection, a statement is given up after this time."""

RECONNECT_SECONDS = 5.0
"""After this time an attempt to connect ends, and the next request starts a new one: the pool's pauses between
attempts double, and would outlast an outage by as much again."""

REPEAT_SECONDS = 4.0
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.25

SLOW_PLANS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""Ways that PostgreSQL must not go: everything here is found by an index, a few rows at a time. It expects a hundred
rows of any JSON list, and plans once for all times, perhaps while a table is still small."""

LOST_CLASSES = ("08", "57P")
"""Classes of SQLSTATE that say that the connection or the server is gone, not what became of the statement."""

TIME_IS_UP = ("57014", "25P03", "25P04")
"""SQLSTATEs of the time limits: of a statement, of a transaction that waits for its next one, of a transaction."""

LOCKED = "55P03"
"""SQLSTATE of the time limit of a wait for a lock."""

COMPLETION_UNKNOWN = "40003"

SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class OutcomeUnknown(StoreUnavailable):
    """The connection was lost between a change and the answer to it: it may have been made or not."""


class Database:
    """The tables of one schema. Open it before use; it survives restarts of the server."""

    def __init__(self, dsn: str, *, schema: str = "threeport", min_size: int = 1, max_size: int = 16) -> None:
        """`dsn` is a URL or a libpq connection string; at most `max_size` connections are held."""
        if not SCHEMA_NAME.fullmatch(schema):
            raise ValueError(f"schema {schema!r} is not a lower-case identifier of at most 63 characters")
        self.schema = schema
        self._conninfo = conninfo.make_conninfo(
            dsn,
            options=f"-c search_path={schema} -c statement_timeout={STATEMENT_SECONDS * 1000}"
            f" -c idle_in_transaction_session_timeout={STATEMENT_SECONDS * 1000}",
            connect_timeout=CONNECT_SECONDS,
            tcp_user_timeout=int(ANSWER_SECONDS * 1000),
            application_name="threeport",
        )
        self._sizes = (min_size, max_size)
        self._pool: AsyncConnectionPool[Connection] | None = None
        self.is_cockroach = False

    async def open(self) -> None:
        """Connects. Raises `StoreUnavailable` when the database does not answer."""
        async with self.dedicated_connection() as connection:
            self.is_cockroach = "CockroachDB" in await _version(connection)
        self._pool = AsyncConnectionPool(
            self._conninfo if self.is_cockroach else _without_slow_plans(self._conninfo),
            connection_class=AsyncCrdbConnection if self.is_cockroach else AsyncConnection,
            kwargs={"autocommit": True},
            configure=_configure,
            min_size=self._sizes[0],
            max_size=self._sizes[1],
            timeout=POOL_SECONDS,
            reconnect_timeout=RECONNECT_SECONDS,
            open=False,
            name=self.schema,
        )
        await self._pool.open()

    async def close(self) -> None:
        """Closes all connections; what runs on them fails."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def ping(self) -> None:
        """Returns if the database answers, else raises `StoreUnavailable`."""
        await self.read("SELECT 1")

    def pool_figures(self) -> Mapping[str, int]:
        """Of the connections: how many are ``open``, how many of these ``free``, and how many requests ``wait``."""
        stats = self._pool.get_stats() if self._pool is not None else {}
        names = {"open": "pool_size", "free": "pool_available", "wait": "requests_waiting"}
        return {name: int(stats.get(key, 0)) for name, key in names.items()}

    async def read(self, query: str, parameters: Parameters = ()) -> list[Row]:
        """The rows of a statement that changes nothing; it is repeated when the connection is lost."""
        try:
            return await self.statement(query, parameters)
        except OutcomeUnknown:
            return await self.statement(query, parameters)

    async def statement(self, query: str, parameters: Parameters = ()) -> list[Row]:
        """The rows of one statement, which is a transaction of its own.

        Raises `StoreUnavailable` when nothing was changed, `OutcomeUnknown` when that is not known.
        """

        async def run() -> list[Row]:
            async with self._connection() as connection:
                return await fetch(connection, query, parameters)

        return await _repeated(run)

    async def transaction(self, body: Callable[[Connection], Awaitable[T]]) -> T:
        """Runs `body` in a transaction, again from its start when the database asks for it. See `statement`."""

        async def run() -> T:
            async with self._connection() as connection, connection.transaction():
                return await body(connection)

        return await _repeated(run)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection of the pool for several statements that change nothing. Raises `StoreUnavailable`."""
        try:
            async with self._connection() as connection:
                yield connection
        except (SerializationFailure, DeadlockDetected) as error:
            raise StoreBusy(f"too many others change the same: {error}") from error

    @asynccontextmanager
    async def dedicated_connection(self) -> AsyncIterator[Connection]:
        """A connection beside the pool, for what may take long. Raises `StoreUnavailable`."""
        try:
            connection: Connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            raise StoreUnavailable(f"cannot connect to the database: {error}") from error
        async with connection:
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        if self._pool is None:
            raise StoreUnavailable("the database is not open")
        cancelled = _cancellations()
        try:
            connection = await self._pool.getconn()
        except psycopg.Error as error:
            raise StoreUnavailable(f"no connection to the database within {POOL_SECONDS:.0f} s: {error}") from error
        try:
            if _cancellations() > cancelled:
                # The pool waits by `wait_for`: in Python 3.11 that swallows one that comes together with a connection.
                raise asyncio.CancelledError
            async with asyncio.timeout(ANSWER_SECONDS):
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError, TimeoutError) as error:
            if is_repeatable(error):
                raise
            if not _is_outcome_unknown(error, connection):
                raise _refusal(error) from error
            raise OutcomeUnknown(f"the database was lost: {error}") from error
        finally:
            await self._put_back(self._pool, connection)

    async def _put_back(self, pool: AsyncConnectionPool[Connection], connection: Connection) -> None:
        """Returns the connection. When it broke, the idle ones most likely did too, and are replaced now."""
        broken = connection.broken
        await pool.putconn(connection)
        if broken and not pool.closed:
            await pool.check()


def _cancellations() -> int:
    """How often the task that runs has been asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


async def fetch(connection: Connection, query: str, parameters: Parameters = ()) -> list[Row]:
    """The rows of a statement; none where it returns none."""
    cursor = await connection.execute(query.encode(), parameters)
    return await cursor.fetchall() if cursor.rownumber is not None else []


def _without_slow_plans(dsn: str) -> str:
    options = conninfo.conninfo_to_dict(dsn)["options"]
    return conninfo.make_conninfo(dsn, options=" ".join([str(options), *(f"-c {plan}=off" for plan in SLOW_PLANS)]))


def is_repeatable(error: BaseException) -> bool:
    """Whether the database changed nothing and says that the same may succeed another time."""
    return isinstance(error, SerializationFailure | DeadlockDetected)


async def _repeated(run: Callable[[], Awaitable[T]]) -> T:
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + REPEAT_SECONDS, FIRST_PAUSE
    while True:
        try:
            return await run()
        except (SerializationFailure, DeadlockDetected) as error:
            if loop.time() > deadline:
                raise StoreBusy(f"too many others change the same: {error}") from error
        await asyncio.sleep(random.uniform(0, pause))
        pause = min(pause * 2, LONGEST_PAUSE)


def _refusal(error: BaseException) -> StoreUnavailable:
    """Why the database did not do what it was asked, and changed nothing."""
    if isinstance(error, psycopg.Error) and error.sqlstate in TIME_IS_UP:
        return TookTooLong(f"it took longer than the {STATEMENT_SECONDS} s that a statement has")
    if isinstance(error, psycopg.Error) and error.sqlstate == LOCKED:
        return RowLocked(f"others are changing the same: {error}")
    return StoreUnavailable(f"the database refused: {error}")


def _is_outcome_unknown(error: BaseException, connection: Connection) -> bool:
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if state is None:
        return connection.broken or isinstance(error, TimeoutError)
    return state == COMPLETION_UNKNOWN or state.startswith(LOST_CLASSES)


async def _configure(connection: Connection) -> None:
    set_json_loads(orjson.loads, connection)


async def _version(connection: Connection) -> str:
    rows = await fetch(connection, "SELECT version()")
    return str(rows[0][0])
