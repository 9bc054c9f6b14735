"""The tables, as numbered steps that only ever get longer. A released step is never changed.

Each step is one DDL statement that may be repeated, because CockroachDB commits before and after DDL: a process that
dies between a step and the note of it runs it again. Several processes may migrate at once; then some see errors of
a race within the database's catalogue, and repeat the step.
"""

from __future__ import annotations

import asyncio
import random

import psycopg
from psycopg import errors

from threeport.store.database import Connection, Database, fetch
from threeport.store.records import StoreUnavailable

STEPS: tuple[str, ...] = (
    """CREATE TABLE IF NOT EXISTS objects (
        resource TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL UNIQUE,
        revision BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        deleting BOOLEAN NOT NULL,
        shard BIGINT NOT NULL,
        labels JSONB NOT NULL,
        former JSONB,
        bookkeeping TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (resource, namespace, name)
    )""",
    "CREATE INDEX IF NOT EXISTS objects_revision ON objects (revision)",
    "CREATE INDEX IF NOT EXISTS objects_labels ON objects USING GIN (labels)",
    """CREATE TABLE IF NOT EXISTS object_references (
        from_uid TEXT NOT NULL,
        to_resource TEXT NOT NULL,
        to_namespace TEXT NOT NULL,
        to_name TEXT NOT NULL,
        blocks_deletion BOOLEAN NOT NULL,
        PRIMARY KEY (from_uid, to_resource, to_namespace, to_name)
    )""",
    """CREATE INDEX IF NOT EXISTS object_references_target
        ON object_references (to_resource, to_namespace, to_name, from_uid)""",
    """CREATE TABLE IF NOT EXISTS tombstones (
        uid TEXT PRIMARY KEY,
        resource TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        revision BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        deleting BOOLEAN NOT NULL,
        labels JSONB NOT NULL,
        former JSONB,
        bookkeeping TEXT NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS tombstones_revision ON tombstones (revision)",
    "CREATE INDEX IF NOT EXISTS tombstones_name ON tombstones (resource, namespace, name, revision)",
    """CREATE TABLE IF NOT EXISTS outbox (
        uid TEXT NOT NULL,
        revision BIGINT NOT NULL,
        resource TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        written TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (uid, revision)
    )""",
    """CREATE TABLE IF NOT EXISTS leases (
        name TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        epoch BIGINT NOT NULL,
        expires TIMESTAMPTZ NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS objects_deleting ON objects (uid) WHERE deleting",
    "CREATE UNIQUE INDEX IF NOT EXISTS outbox_revision ON outbox (revision, uid)",
)

POSTGRES_STEPS: tuple[str, ...] = (
    # A CREATE reads the tombstones of its name in the snapshot of its start. PostgreSQL, unlike CockroachDB, lets
    # another create and delete that name between the snapshot and the insertion; a trigger sees them, and 40001 makes
    # the writer start again.
    """CREATE OR REPLACE FUNCTION above_tombstones() RETURNS TRIGGER LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT 1 FROM tombstones AS t
                WHERE t.resource = NEW.resource AND t.namespace = NEW.namespace AND t.name = NEW.name
                AND t.revision >= NEW.revision
            ) THEN
                RAISE EXCEPTION 'deleted under this name meanwhile' USING ERRCODE = '40001';
            END IF;
            RETURN NULL;
        END
    $$""",
    """CREATE OR REPLACE TRIGGER objects_above_tombstones
        AFTER INSERT ON objects FOR EACH ROW EXECUTE FUNCTION above_tombstones()""",
    # `outbox_revision` finds by uid and revision too, and the end of an index is the cheapest place to write to. In
    # CockroachDB, where a table has a primary key, it is this one, which spreads the rows over the ranges.
    "ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_pkey",
)
"""Steps that only PostgreSQL needs, in numbers from `POSTGRES_NUMBERS` on."""

POSTGRES_NUMBERS = 1000

RACES = (
    errors.UniqueViolation,
    errors.DuplicateTable,
    errors.DuplicateObject,
    errors.DuplicateSchema,
    errors.DuplicateFunction,
    errors.InternalError_,  # "tuple concurrently updated"
    errors.SerializationFailure,
    errors.DeadlockDetected,
)
ATTEMPTS = 20


async def migrate(database: Database) -> None:
    """Brings the schema of an open database up to date. Raises `StoreUnavailable`."""
    try:
        async with database.dedicated_connection() as connection:
            await connection.execute("SET statement_timeout = 0")
            await _step(connection, f"CREATE SCHEMA IF NOT EXISTS {database.schema}")
            await _step(connection, "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY)")
            done = {row[0] for row in await fetch(connection, "SELECT number FROM migrations")}
            for number, step in _steps(database):
                if number not in done:
                    await _step(connection, step)
                    await fetch(connection, "INSERT INTO migrations VALUES (%s) ON CONFLICT DO NOTHING", [number])
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"the database was lost while its schema was changed: {error}") from error


def _steps(database: Database) -> list[tuple[int, str]]:
    steps = list(enumerate(STEPS, start=1))
    if not database.is_cockroach:
        steps += enumerate(POSTGRES_STEPS, start=POSTGRES_NUMBERS)
    return steps


async def _step(connection: Connection, statement: str) -> None:
    for attempt in range(ATTEMPTS):
        try:
            await connection.execute(statement.encode())
        except RACES:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(random.uniform(0.01, 0.1))
        else:
            return
