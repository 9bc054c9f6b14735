"""Where this API and kube-apiserver answer an odd request differently, and why that is meant.

A request is written as `Odd` tells of it.
"""

from __future__ import annotations

from collections.abc import Mapping

_APPLY = "PATCH /there?dryRun=All&fieldManager=a&force=true (application/apply-patch+yaml)"
_MERGE = "PATCH /there?dryRun=All (application/merge-patch+json)"
_JSON_PATCH = "PATCH /there?dryRun=All (application/json-patch+json)"

MEANT: Mapping[str, tuple[str, ...]] = {
    "an empty number is none": ("GET ?limit=",),
    "a watch cannot last less than no time": ("GET ?timeoutSeconds=-1",),
    "a watch has no pages, so a token for one is not looked at": ("GET ?watch=true&continue=abc",),
    "shards are always there, in Kubernetes only behind a feature gate": ("GET ?shardSelector=abc",),
    "an object of another kind is told as such, where Kubernetes calls its kind invalid": (
        'POST ?dryRun=All {"apiVersion": "threeport.io/v1alpha1", "kind": "Workload", "metadata": {"name": "new"}}',
        'POST ?dryRun=All {"apiVersion": "threeport.io/v1alpha1", "kind": "Unheard", "metadata": {"name": "new"}}',
        'PUT /there?dryRun=All {"apiVersion": "threeport.io/v1alpha1", "kind": "Workload", '
        '"metadata": {"name": "there"}}',
        f'{_MERGE} {{"kind": "Other"}}',
        f'{_MERGE} {{"apiVersion": "v1"}}',
        'DELETE /there?dryRun=All {"dryRun": ["All"], "kind": "Other"}',
    ),
    "a key that stands twice is refused whatever fieldValidation says: what was meant cannot be known": (
        'POST ?dryRun=All {"apiVersion":"threeport.io/v1alpha1","kind":"WorkloadDefinition",'
        '"kind":"WorkloadDefinition","metadata":{"name":"a"}}',
        'POST ?dryRun=All&fieldValidation=Warn {"metadata": {"name": "new"},"kind":"WorkloadDefinition"}',
        'POST ?dryRun=All&fieldValidation=Ignore {"metadata": {"name": "new"},"kind":"WorkloadDefinition"}',
    ),
    "metadata of the wrong type is 422 with the field, where Kubernetes fails to decode it": (
        'POST ?dryRun=All {"metadata": null}',
        'POST ?dryRun=All {"metadata": {"name": 5}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "labels": []}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "labels": {"a": 5}}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "labels": {"a": null}}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "annotations": {"a": 5}}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "finalizers": "a"}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "ownerReferences": {}}}',
        'PUT /there?dryRun=All {"metadata": {"name": "there", "resourceVersion": 5}}',
        f'{_APPLY} {{"apiVersion": "threeport.io/v1alpha1", "kind": "WorkloadDefinition"}}',
    ),
    "what only the server writes is not looked at, and written anew": (
        'POST ?dryRun=All {"metadata": {"name": "new", "uid": 5}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "creationTimestamp": "abc"}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "managedFields": "a"}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "generateName": "Up-"}}',
        f'{_MERGE} {{"metadata": {{"deletionTimestamp": "2020-01-01T00:00:00Z"}}}}',
        f'{_APPLY} {{"metadata": {{"name": "there", "managedFields": []}}}}',
        f'{_APPLY} {{"metadata": {{"name": "there", "managedFields": [{{"manager": "a"}}]}}}}',
    ),
    "an owner of a version or kind that is not there is one that is gone": (
        'POST ?dryRun=All {"metadata": {"name": "new", "ownerReferences": '
        '[{"apiVersion": "a/b/c", "kind": "A", "name": "a", "uid": "u"}]}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "ownerReferences": '
        '[{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "u"}]}}',
    ),
    "a dry run refuses what the real run would, which Kubernetes leaves to its storage": (
        'POST ?dryRun=All {"metadata": {"name": "new", "resourceVersion": "5"}}',
        'POST ?dryRun=All {"metadata": {"name": "new", "resourceVersion": "abc"}}',
    ),
    "a PUT without a revision replaces whatever is there, and takes the name from the path, as of built-in kinds": (
        'PUT /there?dryRun=All {"metadata": {"name": "there"}}',
        'PUT /there?dryRun=All {"metadata": {}}',
        'PUT /there?dryRun=All {"metadata": {"name": "there", "resourceVersion": "0"}}',
        'PUT /there/status?dryRun=All {"metadata": {"name": "there"}}',
    ),
    "another uid means that the object was created anew: 409, as for a deletion": (
        f'{_MERGE} {{"metadata": {{"uid": "other"}}}}',
        f'{_APPLY} {{"metadata": {{"name": "there", "uid": "other"}}}}',
    ),
    "JSON patches are those of RFC 6902: what is no operation is 400, what is not there cannot be replaced": (
        f"{_JSON_PATCH} [{{}}]",
        f'{_JSON_PATCH} [{{"op": "unheard", "path": "/a"}}]',
        f'{_JSON_PATCH} [{{"op": "replace", "path": "/metadata/none", "value": 1}}]',
        f'{_JSON_PATCH} [{{"op": "add", "path": "/metadata/labels/a"}}]',
        f'{_JSON_PATCH} [{{"op": "add", "path": "/a~2b", "value": 1}}]',
        f'{_JSON_PATCH} [{{"op": "test", "path": "/metadata/none", "value": null}}]',
    ),
    "a method or path that means nothing is 405 or 404": (
        'POST {base}/workloaddefinitions?dryRun=All {"metadata": {"name": "new"}}',
        'PUT  {"metadata": {"name": "there"}}',
        "PATCH  (application/merge-patch+json) {}",
        "GET /there/status/more",
        'POST /there?dryRun=All {"metadata": {"name": "there"}}',
        'POST /apis {"metadata": {"name": "there"}}',
        'POST {base} {"metadata": {"name": "there"}}',
        'POST /openapi/v2 {"metadata": {"name": "there"}}',
    ),
    "bytes that are no protobuf are refused, where Kubernetes cuts the connection": (
        "POST ?dryRun=All (application/vnd.kubernetes.protobuf) k8s\0",
    ),
}
