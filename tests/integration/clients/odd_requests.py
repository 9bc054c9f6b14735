"""Bad and odd requests about WorkloadDefinitions, in the form in which any server of Kubernetes' API can be asked them.

`{base}` in a path is the group and version, `{ns}` a namespace with the object `there` in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

OBJECTS = "{base}/namespaces/{ns}/workloaddefinitions"
THERE = f"{OBJECTS}/there"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@dataclass(frozen=True)
class Odd:
    """One request. `body` is sent as it is when it is text, as JSON otherwise."""

    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        text = self.body if isinstance(self.body, str) or self.body is None else json.dumps(self.body)
        for usual in (_SPEC, _NAMES):
            text = (text or "").replace(usual, "")
        other = "" if self.content_type == "application/json" else f" ({self.content_type})"
        accept = f" [{', '.join(self.headers.values())}]" if self.headers else ""
        path = self.path.replace("{base}/namespaces/{ns}/workloaddefinitions", "")
        return f"{self.method} {path}{other}{accept} {text}".strip()


_SPEC = ', "spec": {"manifests": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}]}'
_NAMES = '"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadDefinition", '
"""What most bodies have in common is left out when a request is told of."""


def definition(name: str = "new", **metadata: Any) -> dict[str, Any]:
    """A WorkloadDefinition with nothing wrong."""
    return {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "WorkloadDefinition",
        "metadata": {"name": name, **metadata},
        "spec": {"manifests": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}]},
    }


LABEL_SELECTORS = (
    "a>1", "a<1", "a>b", "a>", "a>1,b<2", "a > 1", "a>-1", "a=b", "a==b", "a!=b", "!a", "a", "a=", "a!=", "a,!b",
    " a = b ",
    "a in (b)", "a in (b,c)", "a in b", "a in ()", "a notin ()", "a in (b,)", "a notin (b)", "a in (b", "a=b=c", "a,,b",
    ",a", "a,", ",", "=b", "a=b c", "a b", "(a)", "a!b", "-a=b", "a=-b", "a=b-", "a/b/c=d", "A/b=c", "a.b/c=d",
    "a_/b=c", "a~b", "in=b", "notin", "in in (in)", "!a=b", "!!a", "!", "a in (b)c", "a in(b)", "a=b,a!=b",
    f"{'x' * 64}=a", f"a={'x' * 64}", "a=b\n", "a=in", "exists a", "a in (-b)", "a=b;c=d", "a=é",
)  # fmt: skip
FIELD_SELECTORS = (
    "metadata.name=x", "metadata.name==x", "metadata.name!=x", "metadata.namespace=x",
    "metadata.name=a,metadata.namespace=b",
    "spec.x=1", "metadata.uid=x", "metadata.name", "=x", ",", "metadata.name=", "metadata.name=a\\,b",
    "metadata.labels.a=b",
    "metadata.name>a", "status.phase=x", "metadata.name=A B", "metadata.name=a=b",
)  # fmt: skip
QUERIES = (
    "limit=-1", "limit=a", "limit=0", "limit=1e3", "limit=99999999999999999999", "limit=5.5", "limit=",
    "limit=1&limit=2",
    "continue=abc", "continue=", "resourceVersion=abc", "resourceVersion=0", "resourceVersion=-1", "resourceVersion=",
    "resourceVersion=99999999999999999999999", "resourceVersionMatch=Exact", "resourceVersionMatch=NotOlderThan",
    "resourceVersionMatch=Foo&resourceVersion=1", "resourceVersionMatch=Exact&resourceVersion=0",
    "resourceVersionMatch=Foo",
    "resourceVersionMatch=NotOlderThan&resourceVersion=0", "resourceVersionMatch=exact&resourceVersion=1",
    "resourceVersionMatch=NotOlderThan&resourceVersion=abc", "sendInitialEvents=true", "sendInitialEvents=false",
    "timeoutSeconds=abc", "timeoutSeconds=-1", "timeoutSeconds=0", "watch=false", "watch=0", "pretty=true",
    "unheard=of",
    "watch=true&resourceVersion=abc", "watch=true&resourceVersion=-1", "watch=true&sendInitialEvents=true",
    "watch=true&sendInitialEvents=true&resourceVersionMatch=Exact", "watch=true&resourceVersionMatch=NotOlderThan",
    "watch=true&timeoutSeconds=abc", "watch=true&sendInitialEvents=abc", "watch=true&labelSelector=a=b=c",
    "watch=true&continue=abc",
    "watch=true&fieldSelector=spec.x=1", "watch=true&allowWatchBookmarks=abc&timeoutSeconds=1",
    "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
    "shardSelector=abc", "limit=1&continue=abc&resourceVersion=5",
)  # fmt: skip
METADATA: tuple[tuple[str, Any], ...] = (
    ("name", ""), ("name", "Upper"), ("name", "x" * 254), ("name", "a_b"), ("name", "-a"), ("name", 5), ("name", None),
    ("name", "a.b"), ("name", "a/b"), ("name", ".."), ("generateName", "Up-"), ("namespace", "elsewhere"),
    ("namespace", ""),
    ("namespace", 5), ("labels", []), ("labels", {"a": 5}), ("labels", {"a b": "c"}), ("labels", {"a": "b c"}),
    ("labels", {"": "a"}), ("labels", None), ("labels", {"a": None}), ("annotations", {"a": 5}), ("annotations",
    {"a b": "c"}),
    ("annotations", {"a": "x" * 300_000}), ("finalizers", ["a"]), ("finalizers", ["a b/c"]), ("finalizers", "a"),
    ("finalizers", ["kubernetes"]), ("finalizers", ["example.com/a", "example.com/a"]), ("ownerReferences", [{}]),
    ("ownerReferences", [{"apiVersion": "v1", "kind": "A", "name": "a"}]), ("ownerReferences", {}),
    ("ownerReferences", [{"apiVersion": "a/b/c", "kind": "A", "name": "a", "uid": "u"}]),
    ("ownerReferences", [{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "u"}]),
    ("ownerReferences", 2 * [{"apiVersion": "v1", "kind": "A", "name": "a", "uid": "u", "controller": True}]),
    ("resourceVersion", "5"), ("resourceVersion", "abc"), ("resourceVersion", 5), ("uid", "abc"), ("uid", 5),
    ("generation", 5),
    ("creationTimestamp", "2020-01-01T00:00:00Z"), ("creationTimestamp", "abc"), ("creationTimestamp", None),
    ("deletionTimestamp", "2020-01-01T00:00:00Z"), ("managedFields", [{"manager": "a"}]), ("managedFields", "a"),
    ("selfLink", "/a"), ("unheard", "of"),
)  # fmt: skip


def requests() -> Iterator[Odd]:
    """All of them. Each is dry, refused, or only reads; so they do not depend on their order."""
    yield from _reads()
    yield from _creates()
    yield from _updates()
    yield from _patches()
    yield from _deletes()
    yield from _paths()


def _reads() -> Iterator[Odd]:
    for selector in LABEL_SELECTORS:
        yield Odd("GET", f"{OBJECTS}?labelSelector={quote(selector)}")
    for selector in FIELD_SELECTORS:
        yield Odd("GET", f"{OBJECTS}?fieldSelector={quote(selector)}")
    for query in QUERIES:
        yield Odd("GET", f"{OBJECTS}?{query}")
    for query in ("resourceVersion=abc", "resourceVersion=0", "watch=true", "pretty=1"):
        yield Odd("GET", f"{THERE}?{query}")
    accepts = (
        "text/html", "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf, */*",
        "application/json;as=Foo",
        "application/yaml", "application/*", "*/*;q=0.1", "application/json;as=Table", f"text/html, {_TABLE}",
        "json", "",
        "application/json;as=Table;v=v2;g=meta.k8s.io", "application/json;as=Table;v=v1;g=other",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;stream=watch",
    )  # fmt: skip
    for accept in accepts:
        for path in (OBJECTS, THERE):
            yield Odd("GET", path, headers={"Accept": accept})
    for query in ("includeObject=Foo", "includeObject=None", "includeObject=object"):
        yield Odd("GET", f"{OBJECTS}?{query}", headers={"Accept": _TABLE})


def _creates() -> Iterator[Odd]:
    dry = f"{OBJECTS}?dryRun=All"
    bodies: tuple[Any, ...] = (
        "", "{", "[]", '"a"', "5", "null", "{}", "\ufeff{}", "kind: a", {"kind": "WorkloadDefinition"},
        {"apiVersion": "threeport.io/v1alpha1"}, {**definition(), "kind": "Workload"}, {**definition(),
        "kind": "Unheard"},
        {**definition(), "apiVersion": "threeport.io/v9"}, {**definition(), "apiVersion": "v1"}, {**definition(),
        "kind": 5},
        {**definition(), "metadata": None}, {**definition(), "metadata": []}, {**definition(), "metadata": {}},
        {**definition(), "spec": None}, {**definition(), "spec": []}, {**definition(), "spec": {}},
        {**definition(), "spec": {"manifests": 5}}, {**definition(), "spec": {"manifests": []}}, {**definition(),
        "status": 5},
        {**definition(), "spec": {**definition()["spec"], "rollout": {"strategy": "Unheard"}}},
        {**definition(), "spec": {**definition()["spec"], "rollout": 5}}, {**definition(), "extra": 1},
        {**definition(), "spec": {**definition()["spec"], "extra": 1}}, definition("there"),
        '{"apiVersion":"threeport.io/v1alpha1","kind":"WorkloadDefinition","kind":"WorkloadDefinition","metadata":{"name":"a"}}',
    )  # fmt: skip
    for body in bodies:
        yield Odd("POST", dry, body)
    for query in ("fieldValidation=Strict", "fieldValidation=Warn", "fieldValidation=Ignore", "fieldValidation=strict"):
        yield Odd("POST", f"{dry}&{query}", {**definition(), "extra": 1})
        doubled = json.dumps(definition())[:-1] + ',"kind":"WorkloadDefinition"}'
        yield Odd("POST", f"{dry}&{query}", doubled)
    for word, value in METADATA:
        yield Odd("POST", dry, definition(**{word: value}))
    yield Odd("POST", dry, {**definition(), "metadata": {"generateName": "a-"}})
    yield Odd("POST", dry, {**definition(), "metadata": {"generateName": "A-"}})
    for query in ("dryRun=Foo", "dryRun=all", "dryRun=All&dryRun=All", "dryRun=All&dryRun=Foo"):
        yield Odd("POST", f"{OBJECTS}?{query}", definition("there"))
    for manager in ("x" * 129, "a%0Ab", "%C3%A9", "a%20b", ""):
        yield Odd("POST", f"{dry}&fieldManager={manager}", definition())
    for content_type in ("text/plain", "application/xml", "application/json; charset=utf-8",
                     "application/x-www-form-urlencoded",
                         "application/merge-patch+json", "application/apply-patch+yaml",
                         "APPLICATION/JSON"):  # fmt: skip
        yield Odd("POST", dry, definition(), content_type)
    yield Odd("POST", dry, "apiVersion: [", "application/yaml")
    yield Odd("POST", dry, json.dumps(definition()), "application/yaml")
    yield Odd("POST", f"{dry}", "k8s\0", "application/vnd.kubernetes.protobuf")
    yield Odd("POST", "{base}/namespaces/nowhere/workloaddefinitions?dryRun=All", definition())
    yield Odd("POST", "{base}/workloaddefinitions?dryRun=All", definition())


def _updates() -> Iterator[Odd]:
    dry = f"{THERE}?dryRun=All"
    yield Odd("PUT", f"{OBJECTS}/new?dryRun=All", definition())
    yield Odd("PUT", dry, definition("there"))
    yield Odd("PUT", dry, definition("other"))
    yield Odd("PUT", dry, {**definition("there"), "metadata": {}})
    yield Odd("PUT", dry, "")
    for version in ("1", "abc", "0", "-1", 5):
        yield Odd("PUT", dry, definition("there", resourceVersion=version))
    yield Odd("PUT", dry, definition("there", uid="other"))
    yield Odd("PUT", dry, {**definition("there"), "kind": "Workload"})
    yield Odd("PUT", dry, definition("there", namespace="other"))
    yield Odd("PUT", f"{THERE}/status?dryRun=All", definition("there"))
    yield Odd("PUT", OBJECTS, definition("there"))


def _patches() -> Iterator[Odd]:
    dry, merge, json_patch = f"{THERE}?dryRun=All", "application/merge-patch+json", "application/json-patch+json"
    apply = "application/apply-patch+yaml"
    bodies: tuple[Any, ...] = (
        "", "{", "[]", "5", "null", {"metadata": {"name": "other"}}, {"metadata": {"uid": "other"}}, {"metadata": None},
        {"metadata": {"resourceVersion": "1"}}, {"metadata": {"resourceVersion": "abc"}}, {"kind": "Other"},
        {"spec": None},
        {"metadata": {"namespace": "other"}}, {"metadata": {"labels": {"a b": "c"}}},
        {"metadata": {"labels": {"a": 5}}},
        {"apiVersion": "v1"}, {"spec": {"manifests": 5}}, {"extra": 1}, {"metadata": {"generation": 99}},
        {"metadata": {"creationTimestamp": None}}, {"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}},
        {"metadata": {"managedFields": [{}]}}, {"status": {"a": 1}}, {},
    )  # fmt: skip
    for body in bodies:
        yield Odd("PATCH", dry, body, merge)
    operations: tuple[Any, ...] = (
        "", "{}", "[5]", "[{}]", [{"op": "unheard", "path": "/a"}], [{"op": "remove", "path": "/spec/none"}],
        [{"op": "test", "path": "/metadata/name", "value": "other"}], [{"op": "add", "path": "/none/none", "value": 1}],
        [{"op": "add", "path": "metadata", "value": 1}], [{"op": "replace", "path": "/metadata/none", "value": 1}],
        [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}], [{"op": "replace", "path": "", "value": 5}],
        [{"op": "add", "path": "/spec/manifests/9", "value": {}}], [{"op": "move", "from": "/none",
        "path": "/metadata/a"}],
        [{"op": "add", "path": "/metadata/labels/a"}], [{"op": "test", "path": "/none", "value": 1}], [],
        [{"op": "copy", "from": "/spec", "path": "/spec/manifests/0/a"}], [{"op": "add", "path": "/a~2b", "value": 1}],
        [{"op": "test", "path": "/metadata/none", "value": None}],
    )  # fmt: skip
    for body in operations:
        yield Odd("PATCH", dry, body, json_patch)
    for content_type in (
        "application/strategic-merge-patch+json",
        "application/json",
        "text/plain",
        "application/yaml",
    ):
        yield Odd("PATCH", dry, {}, content_type)
    yield Odd("PATCH", f"{dry}&force=true", {}, merge)
    for query in ("", "&fieldManager=", "&fieldManager=a", "&fieldManager=a&force=true", "&fieldManager=a&force=maybe"):
        yield Odd("PATCH", f"{dry}{query}", definition("there"), apply)
    applied: tuple[Any, ...] = (
        "", "a: [", "5", {}, definition("other"), {**definition("there"), "kind": "Other"}, definition("there",
        managedFields=[]),
        {**definition("there"), "extra": 1}, {**definition("there"), "spec": {"manifests": 5}}, definition("there",
        uid="other"),
        definition("there", resourceVersion="1"), definition("there", namespace="other"),
        {"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadDefinition"}, definition("there", labels={"a": 5}),
        definition("there", managedFields=[{"manager": "a"}]),
    )  # fmt: skip
    for body in applied:
        yield Odd("PATCH", f"{dry}&fieldManager=a&force=true", body, apply)
    for content_type in (merge, json_patch, apply):
        body = [] if content_type == json_patch else definition("none")
        yield Odd("PATCH", f"{OBJECTS}/none?dryRun=All&fieldManager=a", body, content_type)
    yield Odd("PATCH", OBJECTS, {}, merge)


def _deletes() -> Iterator[Odd]:
    dry = f"{THERE}?dryRun=All"
    yield Odd("DELETE", f"{OBJECTS}/none")
    queries = (
        "propagationPolicy=Foo", "propagationPolicy=background", "propagationPolicy=Foreground",
        "gracePeriodSeconds=-1",
        "gracePeriodSeconds=abc", "gracePeriodSeconds=5", "orphanDependents=true&propagationPolicy=Orphan",
        "orphanDependents=abc",
        "dryRun=Foo", "preconditions=abc",
    )  # fmt: skip
    for query in queries:
        yield Odd("DELETE", f"{dry}&{query}")
    bodies: tuple[Any, ...] = (
        "{", "[]", "5", {"preconditions": {"uid": "other"}}, {"preconditions": {"resourceVersion": "1"}},
        {"kind": "Other"},
        {"propagationPolicy": "Foo"}, {"propagationPolicy": 5}, {"gracePeriodSeconds": "a"}, {"gracePeriodSeconds": -1},
        {"dryRun": ["Foo"]}, {"dryRun": "All"}, {"unheard": "of"}, {"orphanDependents": True,
        "propagationPolicy": "Orphan"},
        {"kind": "DeleteOptions", "apiVersion": "v1"}, {"kind": "DeleteOptions", "apiVersion": "v9"},
        {"kind": "DeleteOptions", "apiVersion": "threeport.io/v1alpha1"}, {"preconditions": 5},
    )  # fmt: skip
    for body in bodies:
        # Beside options in the body Kubernetes does not read those in the query.
        yield Odd("DELETE", dry, {"dryRun": ["All"], **body} if isinstance(body, dict) else body)
    yield Odd("DELETE", f"{OBJECTS}?dryRun=All&labelSelector=a=b=c")
    yield Odd("DELETE", f"{OBJECTS}?dryRun=All&fieldSelector=spec.x=1")
    yield Odd("DELETE", f"{OBJECTS}?dryRun=All&limit=abc")
    yield Odd("DELETE", f"{OBJECTS}?dryRun=All")
    yield Odd("DELETE", f"{THERE}/status?dryRun=All")


def _paths() -> Iterator[Odd]:
    for path in ("/apis/none.io/v1", "/apis/none.io", "/apis/threeport.io/v9", "/api/v9", "/apis/threeport.io/v9/a",
                     "/none",
                 "{base}/nones", "{base}/workloaddefinitions/there", f"{THERE}/none", f"{THERE}/status",
                 f"{THERE}/scale",
                 f"{THERE}/status/more", "{base}/namespaces/nowhere/workloaddefinitions", "{base}/namespaces",
                 "{base}/namespaces/{ns}", "{base}/watch", "{base}/watch/nones", f"{OBJECTS}/none", f"{OBJECTS}/A%20b",
                 f"{OBJECTS}/", "{base}", "/openapi/v3/none", "/openapi/none", "/api/v1/nones", "/apis/",
                 "/version/none"):  # fmt: skip
        yield Odd("GET", path)
    for method, path in (("POST", f"{THERE}?dryRun=All"), ("PUT", OBJECTS), ("OPTIONS", THERE), ("POST", "/apis"),
                     ("POST", "{base}"),
                         ("DELETE", "/version"), ("POST", f"{THERE}/status"), ("POST", "/openapi/v2"), ("HEAD",
                         THERE)):  # fmt: skip
        yield Odd(method, path, definition("there"))
