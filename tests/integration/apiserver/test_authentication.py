"""Nobody gets in without proof of who they are, whatever the path, the method and the headers."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from tests.fixtures.api import Api
from tests.integration.apiserver.http import GROUP, Http
from threeport.apiserver import identities
from threeport.apiserver.authentication import UNAUTHENTICATED_PATHS
from threeport.bootstrap.local.certificates import issue_client, new_authority
from threeport.client.config import ClientSettings
from threeport.resources import load_catalog

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
DOOR = "/controllers/workload/0-of-1"
FORGED = {
    "X_Remote_User": "admin",
    "X_Remote_Group": "threeport:admins",
    "X_Remote_Extra_Scopes": "all",
    "X_Forwarded_Client_Cert": 'Subject="CN=admin,O=threeport:admins"',
    "X_Forwarded_User": "admin",
    "X_SSL_Client_S_DN": "CN=admin,O=threeport:admins",
    "Impersonate_User": "admin",
    "Impersonate_Group": "threeport:admins",
    "X_Forwarded_For": "127.0.0.1",
}
MakeHttp = Callable[[ClientSettings], Http]


def paths() -> list[str]:
    """All kinds of paths that the server has, and some that it has not."""
    found = [
        "/",
        "/metrics",
        "/version",
        "/api",
        "/apis",
        "/openapi/v3",
        f"{GROUP}/transactions",
        "/nothing",
        "/healthz/etcd",
    ]
    for kind in load_catalog():
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        place = f"{root}/namespaces/default" if kind.namespaced else root
        found += [root, f"{root}/{kind.plural}", f"{place}/{kind.plural}", f"{place}/{kind.plural}/x"]
        found += [f"{place}/{kind.plural}/x/status", f"{place}/{kind.plural}/x/agenttoken"]
    found += [f"{DOOR}/lease", f"{DOOR}/1", *(f"{DOOR}/1{path}" for path in tuple(found))]
    return found + [f"/livez{more}" for more in ("/", "/x", "%2f", "/../api", ";x")]


async def test_every_path_is_closed_to_the_unknown_but_for_the_written_exceptions(http: MakeHttp, api: Api) -> None:
    anonymous = http(api.anonymous)
    for path in paths():
        for method in METHODS if path.count("/") < 4 else METHODS[:2]:
            answer = await anonymous(method, path)
            assert answer.code == 401, (method, path)
            assert method == "HEAD" or answer.json["reason"] == "Unauthorized"
    for path in UNAUTHENTICATED_PATHS:
        assert (await anonymous.get(path)).code == 200


async def test_no_header_conveys_identity(http: MakeHttp, api: Api) -> None:
    for path in ("/api/v1/namespaces", f"{GROUP}/workloads", "/metrics"):
        assert (await http(api.anonymous).get(path, **FORGED)).code == 401
    agent = http(api.agent("nowhere"))
    assert (await agent.get(f"{GROUP}/workloads", **FORGED)).code == 403


async def test_a_certificate_of_another_authority_gets_no_connection(api: Api, tmp_path: Path) -> None:
    stranger = issue_client(new_authority("threeport-client-ca"), name="admin", groups=["threeport:admins"])
    (tmp_path / "crt").write_bytes(stranger.certificate)
    (tmp_path / "key").write_bytes(stranger.key)
    made = Http.of(replace(api.anonymous, cert_file=str(tmp_path / "crt"), key_file=str(tmp_path / "key")))
    async with made.session:
        with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
            await made.get("/api")


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer nonsense", "Basic YWRtaW46YWRtaW4=", "bearer a.b.c", "Bearer a b", "Negotiate x"],
)
async def test_a_header_that_is_no_token_of_ours_is_refused(http: MakeHttp, api: Api, header: str) -> None:
    answer = await http(api.anonymous).get("/api", Authorization=header)
    assert answer.code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_bad_token_is_not_made_good_by_a_certificate(admin: Http) -> None:
    assert (await admin.get("/api", Authorization="Bearer nonsense")).code == 401


async def test_expired_and_foreign_tokens_are_refused(http: MakeHttp, api: Api) -> None:
    claims: dict[str, Any] = {
        "iss": "threeport",
        "aud": "threeport-api",
        "sub": "admin",
        "groups": ["threeport:admins"],
    }
    forged = jwt.encode({**claims, "exp": time.time() + 60}, bytes(32), algorithm="HS256")
    expired = api.tokens.issue(identities.admin(), lifetime=-1)
    for token in (forged, expired):
        assert (await http(replace(api.anonymous, token=token)).get("/api")).code == 401
    good = api.tokens.issue(identities.admin(), lifetime=60)
    assert (await http(replace(api.anonymous, token=good)).get("/api")).code == 200


async def test_plain_http_gets_nothing(api: Api) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(api.url.replace("https", "http") + "/livez")


@pytest.mark.parametrize(
    "path",
    [
        f"{GROUP}/namespaces/default/workloads/..",
        f"{GROUP}/namespaces/default/workloads/../workloads/x",
        f"{GROUP}/namespaces/default/workloads/%2e%2e",
        f"{GROUP}/namespaces/default/workloads/..%2fx",
        f"{GROUP}/namespaces/default/workloads/a%2fb",
        f"{GROUP}/namespaces/../workloads",
        f"{GROUP}/namespaces/%2e/workloads/x",
        f"/controllers/workload/0-of-1/../../..{GROUP}/workloads",
        "//apis/threeport.io/v1alpha1/workloads//x",
        f"{GROUP}/namespaces/default/workloads/x%00",
        f"{GROUP}/workloads?labelSelector=a%3D%00",
        f"{GROUP}/workloads?fieldSelector=metadata.name%3D%00",
        f"{GROUP}/namespaces/default/workloads/x%0d%0aSet-Cookie:a",
    ],
)
async def test_tricks_with_paths_find_nothing(admin: Http, http: MakeHttp, api: Api, path: str) -> None:
    answer = await admin.get(path)
    assert answer.code in (400, 404), answer.text
    assert "Set-Cookie" not in answer.headers
    assert (await http(api.agent("a")).get(path)).code in (400, 403, 404)
