"""Bodies and patches that no client of good will sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.fuzz.conftest import GROUP, REPORTS, Sender

JSON, YAML = "application/json", "application/yaml"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
TYPES = [JSON, YAML, MERGE, JSON_PATCH, STRATEGIC, APPLY, "text/plain", "application/cbor", "", "application/json; x=é"]

bounded = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)
parts = st.sampled_from(
    ["metadata", "spec", "status", "labels", "annotations", "finalizers", "ownerReferences", "managedFields", "name",
     "namespace", "uid", "apiVersion", "kind", "manifests", "0", "-", "", "~", "~2", "resourceVersion", "instanceRef"]
)  # fmt: skip


def report(name: str) -> dict[str, Any]:
    """A WorkloadReport."""
    spec = {"instanceRef": {"name": "i"}, "instanceUid": "u", "runtimeRef": {"name": "r"}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadReport", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def target(send: Sender) -> str:
    """The path of an object to patch."""
    code, raw = send("POST", REPORTS, json.dumps(report("fuzzed")).encode(), JSON)
    assert code in (201, 409), raw
    return f"{REPORTS}/fuzzed"


DEEP = 200_000
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)
NONSENSE = {
    "nothing": b"",
    "invalid UTF-8": b'{"metadata": {"name": "\xff\xfe"}}',
    "lone surrogate": b'{"metadata": {"name": "\\ud800"}}',
    "NUL": b'{"metadata": {"name": "a\\u0000b"}}',
    "raw NULs": b"\0" * 1000,
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep YAML": b"[" * 5000,
    "deep blocks": b"\n".join(b" " * n + b"a:" for n in range(1500)),
    "huge number": b'{"spec": ' + b"9" * 100_000 + b"}",
    "huge exponent": b'{"spec": 1e999999999}',
    "not a number": b'{"spec": NaN}',
    "duplicate keys": b'{"metadata": {"name": "a", "name": "b"}}',
    "alias bomb": BOMB.encode(),
    "anchor to itself": b"a: &a [*a]",
    "unhashable key": b"? [a, b]\n: c",
    "object as key": b"? {a: b}\n: c",
    "YAML tags": b"!!python/object/apply:os.system ['true']",
    "YAML set": b"--- !!set {a, b}",
    "YAML binary": b"a: !!binary aGVsbG8=",
    "YAML merge": b"a: {<<: {b: c}}",
    "YAML date": b"a: 2001-01-01",
    "YAML sexagesimal": b"a: 190:20:30",
    "many documents": b"--- {}\n" * 1000,
    "only a text": b'"text"',
    "a list": b"[]",
    "null": b"null",
    "many keys": json.dumps({f"k{n}": n for n in range(150_000)}).encode(),
    "protobuf": b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "too large": b'{"a": "' + b"x" * 4_000_000 + b'"}',
}


@pytest.mark.parametrize("nonsense", sorted(NONSENSE))
@pytest.mark.parametrize("content_type", [*TYPES, "application/vnd.kubernetes.protobuf"])
def test_nonsense_is_refused(send: Sender, target: str, nonsense: str, content_type: str) -> None:
    body = NONSENSE[nonsense]
    for method, path in (("POST", REPORTS), ("POST", f"{GROUP}/transactions"), ("PATCH", f"{target}?fieldManager=f")):
        code, raw = send(method, path, body, content_type.encode("latin-1").decode("latin-1"))
        # Only what merges nothing may pass.
        assert code >= 400 or method == "PATCH", raw


@bounded
@given(changes=st.fixed_dictionaries({}, optional=dict.fromkeys(("metadata", "spec", "kind", "apiVersion"), values)))
def test_objects_with_anything_in_them_get_an_answer(send: Sender, changes: dict[str, Any]) -> None:
    for path in (
        REPORTS,
        f"{GROUP}/kubernetesruntimedefinitions",
        "/api/v1/namespaces",
        "/api/v1/namespaces/default/events",
    ):
        send("POST", f"{path}?dryRun=All", json.dumps(report("x") | changes).encode(errors="surrogatepass"), JSON)


@bounded
@given(patch=st.dictionaries(parts, values | st.dictionaries(parts, values, max_size=3), max_size=4))
@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC, APPLY])
def test_merge_patches_and_applies_with_anything_in_them_get_an_answer(
    send: Sender, target: str, content_type: str, patch: dict[str, Any]
) -> None:
    body = report("fuzzed") | patch if content_type == APPLY else patch
    raw = json.dumps(body).encode(errors="surrogatepass")
    send("PATCH", f"{target}?dryRun=All&fieldManager=f&force=true", raw, content_type)
    send("PATCH", "/api/v1/namespaces/default?dryRun=All&fieldManager=f&force=true", raw, content_type)


operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "dance"])},
    optional={
        "path": st.lists(parts, max_size=4).map(lambda steps: "".join(f"/{step}" for step in steps)) | values,
        "from": st.lists(parts, max_size=4).map(lambda steps: "".join(f"/{step}" for step in steps)) | values,
        "value": values,
    },
)


@bounded
@given(patch=st.lists(operations, max_size=5))
def test_json_patches_with_anything_in_them_get_an_answer(send: Sender, target: str, patch: list[Any]) -> None:
    send("PATCH", f"{target}?dryRun=All", json.dumps(patch).encode(errors="surrogatepass"), JSON_PATCH)


@bounded
@given(steps=values | st.lists(st.fixed_dictionaries({"operation": parts | values, "object": values}), max_size=3))
def test_transactions_with_anything_in_them_get_an_answer(send: Sender, steps: Any) -> None:
    body = json.dumps({"operations": steps}).encode(errors="surrogatepass")
    send("POST", f"{GROUP}/transactions?dryRun=All", body, JSON)


def test_a_patch_cannot_double_an_object_without_end(send: Sender, target: str) -> None:
    patch = [{"op": "add", "path": "/spec/x", "value": ["x" * 1000]}]
    patch += [{"op": "copy", "from": "/spec/x", "path": "/spec/x/-"}] * 60
    code, _ = send("PATCH", target, json.dumps(patch).encode(), JSON_PATCH)
    assert code in (400, 413, 422)
