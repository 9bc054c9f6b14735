"""Settings and keys: what is accepted, and what the refusals say."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from threeport.apiserver.keys import UnusableKey, read_keys
from threeport.apiserver.settings import Settings

VARIABLES = {
    "THREEPORT_DATABASE_URL": "postgresql://u:c4n4ry@localhost/x",
    "THREEPORT_NATS_URL": "nats://localhost:4222",
    "THREEPORT_TLS_CERT": "/a",
    "THREEPORT_TLS_KEY": "/b",
    "THREEPORT_CLIENT_CA": "/c",
    "THREEPORT_KEYS_DIR": "/d",
}


def settings(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Settings:
    for name, value in (VARIABLES | changes).items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize(("listen", "host", "port"), [("127.0.0.1:7443", "127.0.0.1", 7443), ("[::1]:0", "::1", 0)])
def test_the_address_is_host_and_port(monkeypatch: pytest.MonkeyPatch, listen: str, host: str, port: int) -> None:
    found = settings(monkeypatch, THREEPORT_LISTEN=listen)
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize("listen", ["localhost", "localhost:65536", "localhost:" + "9" * 5000, ":7443", "localhost:٣"])
def test_an_address_without_a_port_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    with pytest.raises(ValidationError, match="HOST:PORT"):
        settings(monkeypatch, THREEPORT_LISTEN=listen)


def test_passwords_do_not_show_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "c4n4ry" not in repr(settings(monkeypatch))


def test_keys_are_read_and_do_not_show(tmp_path: Path) -> None:
    for name in ("sealing.key", "tokens.key"):
        (tmp_path / name).write_bytes(base64.b64encode(bytes(range(32))) + b"\n")
    keys = read_keys(tmp_path)
    assert keys.sealing == bytes(range(32))
    assert repr(keys) == "Keys()"


@pytest.mark.parametrize("content", [None, b"", b"not base64!", base64.b64encode(b"short")])
def test_a_key_that_is_missing_or_wrong_is_refused_with_its_path(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "sealing.key").write_bytes(content)
    with pytest.raises(UnusableKey, match=r"sealing\.key"):
        read_keys(tmp_path)
