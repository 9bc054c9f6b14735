"""The forms of documents and answers beyond JSON: OpenAPI v2 and its protobuf, YAML; and the paths of old clients."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
import yaml

from tests.integration.krm.conftest import DEADLINE, GROUP, Events, Krm, collection, report
from threeport.krm.openapi.documents import SWAGGER_PROTOBUF

YAML = "application/yaml"
REPORTS = collection("default", "workloadreports")
ASKED_BY_CLIENT_GO = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


async def _raw(krm: Krm, path: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    async with krm.session.request(method, f"{krm.url}{path}", headers=headers) as response:
        return response.status, response.headers, await response.read()


async def test_openapi_v2_comes_as_json_and_as_protobuf(krm: Krm) -> None:
    document = (await krm.call("GET", "/openapi/v2")).body
    assert document["swagger"] == "2.0"
    names = [one.get("x-kubernetes-group-version-kind") for one in document["definitions"].values()]
    assert [{"group": "threeport.io", "version": "v1alpha1", "kind": "Workload"}] in names
    for accept in (ASKED_BY_CLIENT_GO, SWAGGER_PROTOBUF):
        status, headers, raw = await _raw(krm, "/openapi/v2", Accept=accept)
        assert (status, headers["Content-Type"]) == (200, SWAGGER_PROTOBUF)
        assert raw.startswith(b"\x0a\x032.0")
    assert (await _raw(krm, "/openapi/v2", Accept="text/html"))[0] == 406


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3/apis/threeport.io/v1alpha1"])
async def test_who_has_a_document_is_not_sent_it_again(krm: Krm, path: str) -> None:
    status, headers, _ = await _raw(krm, path)
    tag = headers["ETag"]
    assert status == 200
    for known in (tag, f'"other", W/{tag}'):
        assert (await _raw(krm, path, If_None_Match=known))[::2] == (304, b"")
    assert (await _raw(krm, path, If_None_Match='"other"'))[0] == 200


async def test_documents_under_their_hash_may_be_kept_for_ever(krm: Krm) -> None:
    index = (await krm.call("GET", "/openapi/v3")).body["paths"]
    address = index["apis/threeport.io/v1alpha1"]["serverRelativeURL"]
    assert "immutable" in (await _raw(krm, address))[1]["Cache-Control"]
    assert "Cache-Control" not in (await _raw(krm, address.replace("hash=", "hash=0")))[1]


async def test_answers_come_as_yaml_to_who_asks_for_it(krm: Krm) -> None:
    body = yaml.safe_dump(report("r", "default")).encode()
    async with krm.session.post(
        f"{krm.url}{REPORTS}", data=body, headers={"Content-Type": YAML, "Accept": YAML}
    ) as created:
        assert (created.status, created.content_type) == (201, YAML)
        assert (await created.text()).startswith("apiVersion: threeport.io/v1alpha1\n")
    plain = (await krm.call("GET", f"{REPORTS}/r")).body
    for path, expected in ((f"{REPORTS}/r", plain), (f"{GROUP}", (await krm.call("GET", GROUP)).body)):
        status, headers, raw = await _raw(krm, path, Accept=YAML)
        assert (status, headers["Content-Type"].partition(";")[0]) == (200, YAML)
        assert yaml.safe_load(raw) == expected
    status, _, raw = await _raw(krm, f"{REPORTS}/none", Accept=YAML)
    assert (status, yaml.safe_load(raw)["reason"]) == (404, "NotFound")
    assert (await _raw(krm, f"{REPORTS}?watch=true", Accept=YAML))[0] == 406
    assert (await _raw(krm, "/version", Accept=YAML))[1]["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/watch/workloadreports", "/watch/namespaces/default/workloadreports"])
async def test_the_paths_of_old_clients_watch_a_collection(krm: Krm, path: str) -> None:
    await _follows(krm, path, ["one", "two"])


async def test_the_paths_of_old_clients_watch_one_object(krm: Krm) -> None:
    await _follows(krm, "/watch/namespaces/default/workloadreports/two", ["two"])
    refused = await krm.call("POST", f"{GROUP}/watch/workloadreports", report("r", "default"))
    assert refused.status == 405


async def _follows(krm: Krm, path: str, expected: list[str]) -> None:
    async with asyncio.timeout(DEADLINE), krm.session.get(f"{krm.url}{GROUP}{path}") as response:
        assert response.status == 200
        events = Events(response)
        for name in ("one", "two"):
            assert (await krm.call("POST", REPORTS, report(name, "default"))).status == 201
        assert [(await events.next())["object"]["metadata"]["name"] for _ in expected] == expected
