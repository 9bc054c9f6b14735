"""Certificates and tokens: who they say the caller is, and which are refused."""

from __future__ import annotations

import base64
import ssl
import time
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from pydantic import SecretStr

from threeport.apiserver import identities
from threeport.apiserver.authentication import credentials_of, tls_context
from threeport.apiserver.settings import Settings
from threeport.apiserver.tokens import AUDIENCE, ISSUER, Tokens
from threeport.bootstrap.local.identities import prepare_identities
from threeport.common.errors import Unauthorized

KEY = bytes(range(32))
TOKENS = Tokens(KEY)


def certificate(*subject: tuple[str, str]) -> dict[str, Any]:
    return {"subject": tuple((pair,) for pair in subject), "notAfter": "Nov 22 18:00:00 2030 GMT"}


def signed(key: bytes = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 60, "sub": "admin", "groups": ["threeport:admins"]}
    claims |= changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm)


def test_a_certificate_says_name_groups_and_until_when() -> None:
    found = credentials_of(certificate(("organizationName", "a"), ("organizationName", "b"), ("commonName", "me")))
    assert found.identity.name == "me"
    assert found.identity.groups == ("a", "b")
    assert found.expires == 1921600800


@pytest.mark.parametrize("names", [(), ("",), ("me", "admin")])
def test_a_certificate_without_exactly_one_name_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(Unauthorized):
        credentials_of(certificate(*(("commonName", name) for name in names)))


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path) -> None:
    files = prepare_identities(tmp_path)
    context = tls_context(
        Settings(
            database_url=SecretStr("postgresql://x/y"),
            nats_url="nats://x",
            tls_cert=files.server.certificate,
            tls_key=files.server.key,
            client_ca=files.client_authority.certificate,
            keys_dir=files.keys,
        )
    )
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_OPTIONAL


def test_an_issued_token_says_who_and_for_which_object() -> None:
    claims = TOKENS.check(TOKENS.issue(identities.agent("paris"), lifetime=60, uid="u"))
    assert claims.identity == identities.agent("paris")
    assert claims.uid == "u"
    assert 50 < claims.expires - time.time() < 61


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(
    "bad",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"exp": time.time() - 1},
        {"exp": None},
        {"sub": None},
        {"iss": None},
        {"aud": None},
        {"key": bytes(32)},
        {"algorithm": "HS512"},
        {"nbf": time.time() + 86400},
        {"sub": 5},
    ],
)
def test_a_token_that_is_not_ours_or_not_complete_or_expired_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        TOKENS.check(signed(**bad))


@pytest.mark.parametrize("groups", ["threeport:admins", {"threeport:admins": 1}, [["threeport:admins"]], 5])
def test_groups_of_another_shape_are_refused(groups: Any) -> None:
    with pytest.raises(Unauthorized):
        TOKENS.check(signed(groups=groups))


def test_an_unsigned_token_is_refused() -> None:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()

    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 60, "sub": "admin", "groups": ["threeport:admins"]}
    for unsigned in (f"{part({'alg': 'none'})}.{part(claims)}.", "", "a.b.c", "é"):
        with pytest.raises(Unauthorized):
            TOKENS.check(unsigned)
