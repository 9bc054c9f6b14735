"""Reviews, transactions of real kinds, subresources and deletions, asked for in ways that nobody of good will would."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.fuzz.conftest import GROUP, REPORTS, Sender
from tests.integration.fuzz.test_bodies import JSON, bounded, report, values

INSTANCES = f"{GROUP}/namespaces/default/workloadinstances"
REVIEWS = (
    "authorization.k8s.io/v1/selfsubjectaccessreviews",
    "authorization.k8s.io/v1/selfsubjectrulesreviews",
    "authentication.k8s.io/v1/selfsubjectreviews",
)
fewer = settings(bounded, max_examples=50)
words = st.sampled_from(
    ["*", "get", "create", "reveal", "workloads", "threeport.io", "status", "", "default", "In", "x"]
)
attributes = st.dictionaries(
    st.sampled_from(
        ["verb", "group", "version", "resource", "subresource", "namespace", "name", "labelSelector", "path"]
    ),
    words | values | st.fixed_dictionaries({"requirements": values | st.lists(st.dictionaries(words, words))}),
)
numbers = st.sampled_from(["0", "-1", "1", "65536", "80", "9" * 19, "9" * 40, "1e3", "٣", "0x10", "", "true", "yes"])
text = numbers | st.text(max_size=12)


def encoded(query: dict[str, str]) -> str:
    """The query as it stands in a URL."""
    return "&".join(f"{key}={quote(value.encode(errors='surrogatepass'))}" for key, value in query.items())


@pytest.fixture(scope="module")
def instance(send: Sender) -> str:
    """The path of a WorkloadInstance that runs nowhere."""
    body = {"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadInstance", "metadata": {"name": "fuzzed"}}
    code, raw = send("POST", INSTANCES, json.dumps({**body, "spec": {"definitionRef": {"name": "d"}}}).encode(), JSON)
    assert code in (201, 409), raw
    return f"{INSTANCES}/fuzzed"


@fewer
@given(
    spec=values
    | st.fixed_dictionaries({}, optional={"resourceAttributes": attributes, "nonResourceAttributes": attributes})
)
@pytest.mark.parametrize("review", REVIEWS)
def test_reviews_with_anything_in_them_get_an_answer(send: Sender, review: str, spec: Any) -> None:
    send("POST", f"/apis/{review}", json.dumps({"spec": spec}).encode(errors="surrogatepass"), JSON)


@fewer
@given(
    steps=st.lists(
        st.fixed_dictionaries(
            {
                "operation": st.sampled_from(["create", "apply", "patch", "update", "replace", "delete"]),
                "object": st.dictionaries(st.sampled_from(["metadata", "spec", "status", "x"]), values, max_size=3).map(
                    lambda changes: report("t") | changes
                ),
            },
            optional={"fieldManager": values, "force": values},
        ),
        min_size=1,
        max_size=3,
    )
)
def test_transactions_of_objects_with_anything_in_them_get_an_answer(send: Sender, steps: list[Any]) -> None:
    body = json.dumps({"operations": steps, "dryRun": True}).encode(errors="surrogatepass")
    send("POST", f"{GROUP}/transactions", body, JSON)


@fewer
@given(
    query=st.dictionaries(
        st.sampled_from(["tail", "tailLines", "since", "follow", "previous", "timestamps", "prefix", "pod", "container",
                         "resource", "port", "limitBytes"]),
        text, max_size=4,
    )
)  # fmt: skip
@pytest.mark.parametrize("view", ["log", "pods", "portforward", "nothing", "log/x"])
def test_looks_into_clusters_with_anything_in_their_query_get_an_answer(
    send: Sender, instance: str, view: str, query: dict[str, str]
) -> None:
    code, raw = send.exchange("GET", f"{instance}/{view}?{encoded(query)}")
    # A cluster that is not there is a 503, which says so.
    assert code < 500 or code == 503, raw
    assert json.loads(raw)["kind"] == "Status"


@fewer
@given(
    body=values | st.dictionaries(
        st.sampled_from(["propagationPolicy", "gracePeriodSeconds", "preconditions", "dryRun", "orphanDependents"]),
        values | words, max_size=3,
    ),
    query=st.dictionaries(
        st.sampled_from(["propagationPolicy", "gracePeriodSeconds", "orphanDependents", "limit", "labelSelector"]),
        text, max_size=2,
    ),
)  # fmt: skip
def test_deletions_with_anything_in_their_options_get_an_answer(send: Sender, body: Any, query: dict[str, str]) -> None:
    raw = json.dumps(body).encode(errors="surrogatepass")
    for path in (f"{REPORTS}/absent", REPORTS):
        send("DELETE", f"{path}?dryRun=All&{encoded(query)}", raw, JSON)


LIMITS = {
    "long label": ({"labels": {"a": "x" * 64}}, 422),
    "long key": ({"labels": {"x" * 64: "a"}}, 422),
    "many labels": ({"labels": {f"l{n}": "x" for n in range(30_000)}}, 422),
    "large annotations": ({"annotations": {"a": "x" * 300_000}}, 422),
    "long name": ({"name": "x" * 254}, 422),
    "long generateName": ({"name": "", "generateName": "x" * 300}, (201, 422)),
    "many finalizers": ({"finalizers": [f"example.com/f{n}" for n in range(50_000)]}, (201, 413, 422)),
    "many owners": (
        {"ownerReferences": [{"apiVersion": "v1", "kind": "x", "name": "x", "uid": str(n)} for n in range(20_000)]},
        (201, 400, 413, 422),
    ),
}


@pytest.mark.parametrize("limit", sorted(LIMITS))
def test_metadata_beyond_its_limits_is_refused_with_the_limit(send: Sender, limit: str) -> None:
    metadata, wanted = LIMITS[limit]
    body = report("limits")
    body["metadata"] |= metadata
    code, raw = send("POST", f"{REPORTS}?dryRun=All", json.dumps(body).encode(), JSON)
    assert code in ((wanted,) if isinstance(wanted, int) else wanted), raw[:300]


@pytest.mark.parametrize("switch", ["", "yes", "TRUE", "2", "false", "0", "False"])
def test_every_spelling_of_a_watch_ends_as_it_began(send: Sender, switch: str) -> None:
    code, _ = send("GET", f"{REPORTS}?timeoutSeconds=1&watch={switch}")
    assert code == 200
