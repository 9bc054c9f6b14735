"""What the servers are told."""

from __future__ import annotations

from pathlib import Path

from threeport.bootstrap.local.nats import NatsServer, NatsTls, NatsUser
from threeport.bootstrap.local.postgres import SETTINGS, PostgresServer, _complaints, new_password


def test_postgres_listens_on_loopback_only_and_its_url_needs_no_quoting(tmp_path: Path) -> None:
    password = new_password()
    server = PostgresServer(tmp_path, password=password, port=25432)
    assert server.dsn == f"postgresql://threeport:{password}@127.0.0.1:25432/postgres"
    assert password.replace("-", "").replace("_", "").isalnum()
    assert "listen_addresses = '{host}'" in SETTINGS
    assert "unix_socket_directories = ''" in SETTINGS


def test_nats_is_told_its_users_and_certificates(tmp_path: Path) -> None:
    tls = NatsTls(Path("/c.crt"), Path("/c.key"), Path("/ca.crt"))
    users = [NatsUser("api", "secret"), NatsUser("reader", "other", subscribe=("threeport.>",))]
    settings = NatsServer(tmp_path, port=24222, users=users, tls=tls)._settings()
    assert settings["listen"] == "127.0.0.1:24222"
    assert settings["tls"] == {"cert_file": "/c.crt", "key_file": "/c.key", "ca_file": "/ca.crt", "verify": True}
    assert settings["authorization"] == {
        "users": [
            {"user": "api", "password": "secret"},
            {
                "user": "reader",
                "password": "other",
                "permissions": {"publish": {"deny": [">"]}, "subscribe": {"allow": ["threeport.>"]}},
            },
        ]
    }


def test_of_a_failed_initdb_only_the_failure_is_told() -> None:
    output = """creating subdirectories ... ok
running bootstrap script ... 2026-11-23 00:31:17.724 UTC [42] FATAL:  could not extend file "base/1/2703": wrote 4096
2026-11-23 00:31:17.724 UTC [42] HINT:  Check free disk space.
initdb: removing contents of data directory "/data.new"
"""
    told = 'FATAL:  could not extend file "base/1/2703": wrote 4096; HINT:  Check free disk space.'
    assert _complaints(output) == told
    assert _complaints("Killed\n") == "Killed"
