"""Requests that the served OpenAPI documents allow, and some that they do not, as schemathesis makes them up."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.fixtures.api import Api

PLACES = {"namespace": "default", "name": "fuzzed-by-schema"}


@pytest.mark.parametrize("document", ["apis/threeport.io/v1alpha1", "api/v1"])
def test_what_the_schema_allows_gets_an_answer(api: Api, document: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(api.ca_file)
        session.cert = (str(api.files.admin.certificate), str(api.files.admin.key))
        schema = schemathesis.openapi.from_dict(session.get(f"{api.url}/openapi/v3/{document}").json())
        for found in schema.get_all_operations():
            _try(api, session, found.ok())


def _try(api: Api, session: requests.Session, operation: Any) -> None:
    @settings(
        max_examples=8, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        case.path_parameters = {name: PLACES[name] for name in case.path_parameters or {}}
        case.query = {**(case.query or {}), "watch": "false", "dryRun": "All"}
        if isinstance(case.body, dict) and isinstance(case.body.get("metadata"), dict):
            case.body["metadata"]["name"] = PLACES["name"]
        answer = case.call(base_url=api.url, session=session, verify=session.verify, cert=session.cert, timeout=10)
        assert answer.status_code < 500, f"{operation.method} {operation.path}: {answer.text}"

    run()
