"""Simulated clusters come and go whole, also where the database fails in the middle of it."""

from __future__ import annotations

import time
import urllib.error
import uuid

import psycopg
import pytest

from tests.fixtures.simulated import SimulatedCluster, SimulatedProcess

ATTEMPTS = 6


def schemas(connection: psycopg.Connection, name: str) -> int:
    """How many schemas of this name there are."""
    query = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = %s"
    row = connection.execute(query, [name]).fetchone()
    return int(row[0]) if row else 0


def backends(connection: psycopg.Connection) -> int:
    """How many connections the programs of Threeport hold."""
    row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'threeport'").fetchone()
    return int(row[0]) if row else 0


def test_a_removal_that_failed_is_completed_by_the_next(
    simulated_cluster: SimulatedCluster, simulated_process: SimulatedProcess, postgres_dsn: str
) -> None:
    cluster = simulated_cluster
    with psycopg.connect(postgres_dsn) as reader:
        reader.execute(f"LOCK TABLE {cluster.schema}.objects IN ACCESS SHARE MODE".encode())
        with pytest.raises(urllib.error.HTTPError) as refused:
            simulated_process.call("DELETE", f"/clusters/{cluster.name}", cluster.token)
        assert refused.value.code == 504
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        assert schemas(connection, cluster.schema) == 1
        simulated_process.call("DELETE", f"/clusters/{cluster.name}", cluster.token)
        assert schemas(connection, cluster.schema) == 0


def test_a_cluster_that_cannot_be_opened_leaves_no_connections(
    simulated_cluster: SimulatedCluster, simulated_process: SimulatedProcess, postgres_dsn: str
) -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    schema = simulated_process.schema_prefix + name.replace("-", "_")
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        connection.execute(f"CREATE VIEW {schema}.objects AS SELECT 1 AS nothing".encode())
        before = backends(connection)
        for _ in range(ATTEMPTS):
            with pytest.raises(urllib.error.HTTPError):
                simulated_process.call("PUT", f"/clusters/{name}", simulated_cluster.token)
        deadline = time.monotonic() + 10
        while backends(connection) >= before + ATTEMPTS and time.monotonic() < deadline:
            time.sleep(0.1)
        assert backends(connection) < before + ATTEMPTS
        simulated_process.call("DELETE", f"/clusters/{name}", simulated_cluster.token)
        assert schemas(connection, schema) == 0
