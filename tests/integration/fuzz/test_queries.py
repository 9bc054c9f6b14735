"""Paths, selectors and parameters that no client of good will sends."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.fuzz.conftest import GROUP, REPORTS, Sender

PARAMETERS = (
    "labelSelector", "fieldSelector", "shardSelector", "referenceSelector", "limit", "continue", "resourceVersion",
    "resourceVersionMatch", "includeObject", "sendInitialEvents", "reveal", "dryRun", "fieldManager",
    "fieldValidation", "propagationPolicy", "pretty",
)  # fmt: skip
bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
grammar = st.lists(
    st.sampled_from(
        ["a", "b/c", "=", "==", "!=", "!", "in", "notin", "(", ")", ",", " ", "x.y", "-of-", "0", "9" * 30, "é"]
    ),
    max_size=8,
).map("".join)


@bounded
@given(query=st.dictionaries(st.sampled_from(PARAMETERS), grammar | st.text(max_size=30), min_size=1, max_size=3))
def test_queries_with_anything_in_them_get_an_answer(send: Sender, query: dict[str, str]) -> None:
    text = "&".join(f"{key}={quote(value.encode(errors='surrogatepass'))}" for key, value in query.items())
    send("GET", f"{REPORTS}?{text}")


@settings(bounded, max_examples=8)
@given(query=st.dictionaries(st.sampled_from(PARAMETERS), grammar, min_size=1, max_size=2))
def test_watches_with_anything_in_their_query_get_an_answer(send: Sender, query: dict[str, str]) -> None:
    text = "&".join(f"{key}={quote(value)}" for key, value in query.items())
    send("GET", f"{REPORTS}?watch=true&timeoutSeconds=1&{text}")


@bounded
@given(
    path=st.lists(
        st.text(max_size=12) | st.sampled_from(["apis", "api", "v1", "..", ".", "%", "%00", "%2f", "namespaces"])
    )
)
def test_paths_with_anything_in_them_get_an_answer(send: Sender, path: list[str]) -> None:
    encoded = "/".join(
        part if part in ("%", "%00", "%2f") else quote(part.encode(errors="surrogatepass")) for part in path
    )
    for method in ("GET", "DELETE", "PUT"):
        send(method, f"/{encoded}")
        send(method, f"{GROUP}/namespaces/{encoded}?dryRun=All")


@pytest.mark.parametrize("length", [10_000, 100_000])
def test_a_long_query_is_refused(send: Sender, length: int) -> None:
    # Beyond the longest line of HTTP the answer comes from below, and is no Status.
    code, _ = send.exchange("GET", f"{REPORTS}?labelSelector={'a' * length}")
    assert code == 400
