"""The checker fails where it must: one statement for each thing that CockroachDB or PostgreSQL does not have."""

from __future__ import annotations

import pytest

from tests.dialect.rules import problems

BAD = {
    "LISTEN changes": "use the event stream",
    "NOTIFY changes": "use the event stream",
    "SELECT pg_notify('changes', 'x')": "use the event stream",
    "SELECT pg_advisory_xact_lock(1)": "use a lease",
    "SELECT pg_try_advisory_lock(1)": "use a lease",
    "LOCK TABLE objects": "use a lease",
    "SELECT nextval('numbers')": "use revisions",
    "PREPARE TRANSACTION 'x'": "two-phase commit",
    "COPY objects FROM STDIN": "COPY differ",
    "DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT 1": "page by key",
    "DO $$ BEGIN NULL; END $$": "send statements",
    "SELECT body FROM objects WHERE labels @? '$.app'": "jsonpath",
    "SELECT body FROM objects WHERE labels @@ '$.app == 1'": "jsonpath",
    "SELECT jsonb_path_query(labels, '$.app') FROM objects": "jsonpath",
    "SELECT shard / 2 FROM objects": "decimals",
    "SELECT 1::INTEGER": "say BIGINT",
    "SELECT '[1,2)'::int8range": "add it to tests/dialect/vocabulary.py",
    "SELECT '10.0.0.0/8'::cidr": "add it to tests/dialect/vocabulary.py",
    "SELECT '{}'::hstore": "use JSONB",
    "SELECT name FROM leases FOR UPDATE SKIP LOCKED": "SKIP LOCKED",
    "SELECT name FROM leases WHERE starts_with(name, 'node/')": "substr",
    "SELECT lo_create(0)": "large objects",
    "WITH a AS (DELETE FROM objects RETURNING uid) UPDATE objects SET shard = 1": "objects is changed 2 times",
    "SELECT 1; SELECT 2": "one by one",
    "SELECT FROM WHERE": "cannot parse",
    "CREATE TABLE IF NOT EXISTS t (a TEXT)": "has no place here",
    "SET synchronous_commit = off": "may not know this setting",
}

BAD_STEPS = {
    "CREATE TABLE t (a TEXT)": "IF [NOT] EXISTS",
    "DROP TABLE t": "IF [NOT] EXISTS",
    "CREATE TABLE IF NOT EXISTS t (a SERIAL)": "serial",
    "CREATE TABLE IF NOT EXISTS t (a BIGINT GENERATED ALWAYS AS IDENTITY)": "identity",
    "CREATE TABLE IF NOT EXISTS t (a TEXT UNIQUE DEFERRABLE)": "DEFERRABLE",
    "CREATE SEQUENCE IF NOT EXISTS s": "sequences give no order",
    "CREATE TYPE pair AS (a TEXT, b TEXT)": "composite",
    "CREATE TYPE r AS RANGE (subtype = float8)": "ranges",
    "CREATE INDEX IF NOT EXISTS i ON t USING HASH (a)": "USING HASH",
    "CREATE INDEX IF NOT EXISTS i ON t USING GIN (a jsonb_path_ops)": "operator class",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)": "options of an index",
    "CREATE TABLE IF NOT EXISTS t (a TEXT); CREATE INDEX IF NOT EXISTS i ON t (a)": "one by one",
    "ALTER TABLE t ADD COLUMN a TEXT, ADD COLUMN b TEXT": "one each",
    "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_pkey": "primary key",
    "ALTER TABLE t SET (ttl_expire_after = '1 hour')": "parameters of a table",
    "CREATE TABLE IF NOT EXISTS t (a TEXT) WITH (ttl_expire_after = '1 hour')": "parameters of a table",
    "INSERT INTO t VALUES ('a')": "has no place here",
}


@pytest.mark.parametrize(("statement", "why"), BAD.items())
def test_a_statement_that_one_of_the_databases_lacks_is_refused(statement: str, why: str) -> None:
    assert why in " ".join(problems(statement))


@pytest.mark.parametrize(("step", "why"), BAD_STEPS.items())
def test_a_step_that_one_of_the_databases_lacks_is_refused(step: str, why: str) -> None:
    assert why in " ".join(problems(step, migration=True))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM objects WHERE labels @> %(label)s::JSONB AND labels ? %(key)s ORDER BY name LIMIT 5",
        "SELECT name FROM leases WHERE name LIKE 'node/%%' AND name = %s AND holder = %s",
        "INSERT INTO leases (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING epoch",
        "SELECT name FROM leases WHERE name = %s FOR UPDATE",
    ],
)
def test_what_both_have_is_accepted_with_the_placeholders_of_the_driver(statement: str) -> None:
    assert problems(statement) == []
