"""Writes follow the rules of Kubernetes: optimistic concurrency, generations, finalizers, ownership, deletion."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.integration.krm.conftest import GROUP, Krm, collection, eventually, report, workload

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
REPORTS = collection("default", "workloadreports")
FINALIZER = "workload.threeport.io/finalizer"


async def created(krm: Krm, path: str, obj: dict[str, Any]) -> dict[str, Any]:
    answer = await krm.call("POST", path, obj)
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def test_the_server_completes_a_new_object(krm: Krm) -> None:
    obj = await created(krm, collection("default"), {**workload("w", "default"), "status": {"health": "Healthy"}})
    metadata = obj["metadata"]
    assert metadata["generation"] == 1
    assert metadata["uid"]
    assert metadata["resourceVersion"]
    assert metadata["creationTimestamp"]
    assert metadata["finalizers"] == [FINALIZER]
    assert "status" not in obj


async def test_a_taken_name_is_refused_and_a_generated_one_is_free(krm: Krm) -> None:
    await created(krm, REPORTS, report("r", "default"))
    answer = await krm.call("POST", REPORTS, report("r", "default"))
    assert (answer.status, answer.body["reason"]) == (409, "AlreadyExists")
    generated = report("", "default")
    generated["metadata"] = {"generateName": "r-"}
    assert (await created(krm, REPORTS, generated))["metadata"]["name"].startswith("r-")


async def test_a_put_from_an_older_version_is_a_conflict(krm: Krm) -> None:
    obj = await created(krm, REPORTS, report("r", "default"))
    first = await krm.call("PUT", f"{REPORTS}/r", {**obj, "spec": {**obj["spec"], "message": "1"}})
    assert first.status == 200
    assert first.body["metadata"]["generation"] == 2
    second = await krm.call("PUT", f"{REPORTS}/r", {**obj, "spec": {**obj["spec"], "message": "2"}})
    assert (second.status, second.body["reason"]) == (409, "Conflict")


async def test_a_write_that_changes_nothing_writes_nothing(krm: Krm) -> None:
    obj = await created(krm, REPORTS, report("r", "default"))
    before = len(krm.written)
    for method, body, content_type in (
        ("PUT", obj, "application/json"),
        ("PATCH", {"spec": {"instanceUid": "u"}}, MERGE),
        ("PATCH", [{"op": "test", "path": "/kind", "value": "WorkloadReport"}], JSON_PATCH),
    ):
        answer = await krm.call(method, f"{REPORTS}/r", body, content_type=content_type)
        assert answer.revision == obj["metadata"]["resourceVersion"]
    assert len(krm.written) == before


async def test_a_failed_test_of_a_json_patch_is_unprocessable_and_changes_nothing(krm: Krm) -> None:
    await created(krm, REPORTS, report("r", "default"))
    patch = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "1"},
        {"op": "add", "path": "/spec/message", "value": "x"},
    ]
    answer = await krm.call("PATCH", f"{REPORTS}/r", patch, content_type=JSON_PATCH)
    assert answer.status == 422
    assert (await krm.call("GET", f"{REPORTS}/r")).body["spec"].get("message") == ""


async def test_status_and_spec_are_written_by_paths_of_their_own(krm: Krm) -> None:
    path = f"{collection('default')}/w"
    await created(krm, collection("default"), workload("w", "default"))
    both = {"spec": {"runtimeRef": {"name": "r"}}, "status": {"health": "Healthy"}}
    status = await krm.call("PATCH", f"{path}/status", both, content_type=MERGE)
    assert status.body["status"] == {"health": "Healthy"}
    assert "runtimeRef" not in status.body["spec"]
    assert status.body["metadata"]["generation"] == 1
    both["status"]["health"] = "Down"
    spec = await krm.call("PATCH", path, both, content_type=MERGE)
    assert spec.body["status"] == {"health": "Healthy"}
    assert spec.body["metadata"]["generation"] == 2
    assert (await krm.call("GET", f"{path}/status")).body["status"] == {"health": "Healthy"}


async def test_a_controller_writes_spec_status_and_bookkeeping_in_one_patch_that_others_do_not_see(krm: Krm) -> None:
    path = f"{collection('default')}/w"
    await created(krm, collection("default"), workload("w", "default"))
    key = "workload.kopf.threeport.io/last-handled-configuration"
    patch = {"metadata": {"annotations": {key: "{}"}}, "status": {"health": "Healthy"}}
    mine = await krm.call("PATCH", path, patch, content_type=MERGE, controller="workload")
    assert mine.body["metadata"]["annotations"] == {key: "{}"}
    assert mine.body["status"] == {"health": "Healthy"}
    for controller in (None, "kubernetes-runtime"):
        seen = await krm.call("GET", path, controller=controller)
        assert "annotations" not in seen.body["metadata"]
    listed = await krm.call("GET", collection("default"), controller="workload")
    assert listed.body["items"][0]["metadata"]["annotations"] == {key: "{}"}
    user = (await krm.call("GET", path)).body
    user["metadata"]["annotations"] = {"note": "mine"}
    await krm.call("PUT", path, user)
    after = await krm.call("GET", path, controller="workload")
    assert after.body["metadata"]["annotations"] == {key: "{}", "note": "mine"}


async def test_a_put_cannot_drop_the_finalizer_of_a_controller_but_a_patch_can(krm: Krm) -> None:
    path = f"{collection('default')}/w"
    obj = await created(krm, collection("default"), workload("w", "default"))
    del obj["metadata"]["finalizers"]
    assert (await krm.call("PUT", path, obj)).body["metadata"]["finalizers"] == [FINALIZER]
    patched = await krm.call("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
    assert "finalizers" not in patched.body["metadata"]


async def test_deletion_waits_for_finalizers_and_the_last_one_ends_it(krm: Krm) -> None:
    path = f"{collection('default')}/w"
    await created(krm, collection("default"), workload("w", "default"))
    deleted = await krm.call("DELETE", path)
    assert deleted.status == 200
    assert deleted.body["metadata"]["deletionTimestamp"]
    assert deleted.body["metadata"]["generation"] == 2
    again = await krm.call("DELETE", path)
    assert again.revision == deleted.revision
    patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": deleted.revision},
             {"op": "remove", "path": "/metadata/finalizers/0"}]  # fmt: skip
    done = await krm.call("PATCH", path, patch, content_type=JSON_PATCH, controller="workload")
    assert done.status == 200
    assert (await krm.call("GET", path)).status == 404


async def test_what_is_referred_to_cannot_be_deleted_and_the_answer_names_who_refers(krm: Krm) -> None:
    definition = {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "KubernetesRuntimeDefinition",
        "metadata": {"name": "d"},
        "spec": {"infraProvider": "simulated"},
    }
    instance = {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "KubernetesRuntimeInstance",
        "metadata": {"name": "i"},
        "spec": {"definitionRef": {"name": "d"}},
    }
    await created(krm, f"{GROUP}/kubernetesruntimedefinitions", definition)
    await created(krm, f"{GROUP}/kubernetesruntimeinstances", instance)
    refused = await krm.call("DELETE", f"{GROUP}/kubernetesruntimedefinitions/d")
    assert refused.status == 409
    assert "KubernetesRuntimeInstance i" in refused.body["message"]
    assert "delete KubernetesRuntimeInstance i first" in refused.body["message"]
    query = "referenceSelector=kubernetesruntimedefinitions.threeport.io//d"
    referring = await krm.call("GET", f"{GROUP}/kubernetesruntimeinstances?{query}")
    assert [item["metadata"]["name"] for item in referring.body["items"]] == ["i"]


async def test_concurrent_patches_are_all_made(krm: Krm) -> None:
    await created(krm, REPORTS, report("r", "default"))
    patches = [{"metadata": {"labels": {f"l{number}": "x"}}} for number in range(6)]
    answers = await asyncio.gather(*(krm.call("PATCH", f"{REPORTS}/r", patch, content_type=MERGE) for patch in patches))
    assert {answer.status for answer in answers} == {200}
    labels = (await krm.call("GET", f"{REPORTS}/r")).body["metadata"]["labels"]
    assert len(labels) == 6


async def test_a_dry_run_answers_as_if_and_changes_nothing(krm: Krm) -> None:
    answer = await krm.call("POST", f"{REPORTS}?dryRun=All", report("r", "default"))
    assert answer.status == 201
    assert (await krm.call("GET", f"{REPORTS}/r")).status == 404
    await created(krm, REPORTS, report("r", "default"))
    before = len(krm.written)
    answer = await krm.call("PATCH", f"{REPORTS}/r?dryRun=All", {"spec": {"message": "x"}}, content_type=MERGE)
    assert answer.body["spec"]["message"] == "x"
    await krm.call("DELETE", f"{REPORTS}/r?dryRun=All")
    await krm.call("DELETE", f"{REPORTS}?dryRun=All")
    assert (await krm.call("POST", f"{REPORTS}?dryRun=All", report("r", "default"))).status == 409
    operations = [{"operation": "apply", "object": report(name, "default", message="y")} for name in ("r", "new")]
    results = await krm.call("POST", f"{GROUP}/transactions?force=true", {"operations": operations, "dryRun": ["All"]})
    assert [result["spec"]["message"] for result in results.body["results"]] == ["y", "y"]
    assert len(krm.written) == before


async def test_what_is_applied_is_validated_strictly_and_a_misspelt_field_is_named_first(krm: Krm) -> None:
    misspelt = {**workload("w", "default"), "spec": {"manifestz": []}}
    operation = {"operation": "apply", "object": misspelt}
    in_transaction = await krm.call("POST", f"{GROUP}/transactions", {"operations": [operation]})
    path = f"{collection('default')}/w?fieldManager=one"
    alone = await krm.call("PATCH", path, misspelt, content_type=APPLY)
    lenient = await krm.call("PATCH", f"{path}&fieldValidation=Warn", misspelt, content_type=APPLY)
    assert (in_transaction.status, alone.status, lenient.status) == (400, 400, 422)
    for answer in (in_transaction, alone, lenient):
        message = answer.body["message"]
        assert message.index('unknown field "spec.manifestz"') < message.index("spec.manifests: Required value")


async def test_apply_owns_fields_removes_what_it_leaves_out_and_repeats_without_a_write(krm: Krm) -> None:
    config = report("r", "default", message="a", health="Down")
    path = f"{REPORTS}/r?fieldManager=one"
    first = await krm.call("PATCH", path, config, content_type=APPLY)
    assert first.status == 201, first.body
    before = len(krm.written)
    again = await krm.call("PATCH", path, config, content_type=APPLY)
    assert (again.status, again.revision) == (200, first.revision)
    assert len(krm.written) == before
    del config["spec"]["message"]
    third = await krm.call("PATCH", path, config, content_type=APPLY)
    assert third.body["spec"]["message"] == ""
    refused = await krm.call(
        "PATCH", f"{REPORTS}/r?fieldManager=two", report("r", "default", health="Healthy"), content_type=APPLY
    )
    assert refused.status == 409
    assert refused.body["details"]["causes"][0]["field"] == ".spec.health"
    forced = await krm.call(
        "PATCH",
        f"{REPORTS}/r?fieldManager=two&force=true",
        report("r", "default", health="Healthy"),
        content_type=APPLY,
    )
    assert forced.body["spec"]["health"] == "Healthy"


async def test_namespaces_must_exist_and_take_their_content_with_them(krm: Krm) -> None:
    missing = await krm.call("POST", collection("nowhere", "workloadreports"), report("r", "nowhere"))
    assert missing.status == 404
    assert "create it first" in missing.body["message"]
    name = await krm.namespace()
    await created(krm, collection(name), workload("w", name))
    await krm.call("DELETE", f"/api/v1/namespaces/{name}")

    async def refused() -> bool:
        return (await krm.call("POST", collection(name, "workloadreports"), report("r", name))).status == 403

    await eventually(refused, "creates in the terminating namespace to be refused")
    namespace = await krm.call("GET", f"/api/v1/namespaces/{name}")
    assert namespace.body["status"]["phase"] == "Terminating"

    async def marked() -> bool:
        found = await krm.call("GET", f"{collection(name)}/w")
        return bool(found.body["metadata"].get("deletionTimestamp"))

    await eventually(marked, "the workload to be deleted")
    await krm.call("PATCH", f"{collection(name)}/w", {"metadata": {"finalizers": None}}, content_type=MERGE)

    async def gone() -> bool:
        return (await krm.call("GET", f"/api/v1/namespaces/{name}")).status == 404

    await eventually(gone, "the namespace to go")


async def test_a_collection_is_deleted_by_selector(krm: Krm) -> None:
    for name in ("a", "b", "c"):
        obj = report(name, "default")
        obj["metadata"]["labels"] = {"keep": str(name == "c").lower()}
        await created(krm, REPORTS, obj)
    assert (await krm.call("DELETE", f"{REPORTS}?labelSelector=keep!=true")).status == 200
    left = await krm.call("GET", REPORTS)
    assert [item["metadata"]["name"] for item in left.body["items"]] == ["c"]


async def test_sensitive_fields_are_hidden_kept_and_revealed(krm: Krm) -> None:
    path = f"{GROUP}/kubernetesruntimeinstances"
    instance = {
        "apiVersion": "threeport.io/v1alpha1",
        "kind": "KubernetesRuntimeInstance",
        "metadata": {"name": "i"},
        "spec": {"definitionRef": {"name": "d"}, "token": "canary-secret"},
    }
    obj = await created(krm, path, instance)
    for text in (json.dumps(obj), json.dumps((await krm.call("GET", path)).body), krm.written[-1].body):
        assert "canary" not in text
    assert obj["spec"]["token"].startswith("redacted:")
    before = len(krm.written)
    for same in (obj, instance):
        assert (await krm.call("PUT", f"{path}/i", same)).body["metadata"]["generation"] == 1
    assert len(krm.written) == before
    revealed = await krm.call("GET", f"{path}/i?reveal=true")
    assert revealed.body["spec"]["token"] == "canary-secret"


async def test_a_transaction_is_made_as_a_whole_or_not_at_all(krm: Krm) -> None:
    operations = [
        {"operation": "create", "object": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t"}}},
        {"operation": "apply", "object": report("a", "t"), "fieldManager": "me"},
        {"operation": "create", "object": report("b", "t", bogus=1)},
    ]
    path = f"{GROUP}/transactions"
    refused = await krm.call("POST", f"{path}?fieldValidation=Strict", {"operations": operations})
    assert refused.status == 400
    assert "operation 2 (create WorkloadReport t/b)" in refused.body["message"]
    assert (await krm.call("GET", "/api/v1/namespaces/t")).status == 404
    del operations[2]["object"]["spec"]["bogus"]
    done = await krm.call("POST", path, {"operations": operations})
    assert [obj["metadata"]["name"] for obj in done.body["results"]] == ["t", "a", "b"]
    taken = await krm.call("POST", path, {"operations": [
        {"operation": "patch", "object": {**report("a", "t"), "spec": {"message": "x"}}},
        {"operation": "create", "object": report("b", "t")},
    ]})  # fmt: skip
    assert (taken.status, taken.body["reason"]) == (409, "AlreadyExists")
    assert "operation 1" in taken.body["message"]
    assert (await krm.call("GET", f"{collection('t', 'workloadreports')}/a")).body["spec"]["message"] == ""
    done = await krm.call("POST", path, {"operations": [{"operation": "delete", "object": report("b", "t")}]})
    assert done.status == 200


@pytest.mark.parametrize(
    ("method", "path", "raw", "content_type", "status"),
    [
        ("POST", REPORTS, b"{", "application/json", 400),
        ("POST", REPORTS, b'{"a":1,"a":2}', "application/json", 400),
        ("POST", REPORTS, b"\xff\xfe", "application/json", 400),
        ("POST", REPORTS, b"[" * 5000, "application/json", 413),
        ("POST", REPORTS, b'{"a":' * 200 + b"1" + b"}" * 200, "application/json", 413),
        ("POST", REPORTS, b"1e999", "application/json", 400),
        ("POST", REPORTS, b"[1]", "application/json", 400),
        ("POST", REPORTS, b'{"metadata":"x"}', "application/json", 400),
        ("POST", REPORTS, b" " * 3_200_000, "application/json", 413),
        ("POST", REPORTS, b"a: &a [1]\nb: [*a, *a]\n", "application/yaml", 400),
        ("POST", REPORTS, b"a: 1\na: 2\n", "application/yaml", 400),
        ("PATCH", f"{REPORTS}/r", b"[]", MERGE, 400),
        ("PATCH", f"{REPORTS}/r", b"{}", JSON_PATCH, 400),
        ("PATCH", f"{REPORTS}/r", b'[{"op":"nothing","path":"/a"}]', JSON_PATCH, 400),
        ("PATCH", f"{REPORTS}/r", b'[{"op":"remove","path":"/spec/nothing"}]', JSON_PATCH, 422),
        ("PATCH", f"{REPORTS}/r", b'[{"op":"replace","path":"","value":[]}]', JSON_PATCH, 422),
        ("PATCH", f"{REPORTS}/r", b'{"metadata":null}', MERGE, 400),
        ("PATCH", f"{REPORTS}/r", b'{"metadata":{"annotations":[1]}}', MERGE, 422),
        ("PATCH", f"{REPORTS}/r", b'{"metadata":{"annotations":{"a":1}}}', MERGE, 422),
        ("PATCH", f"{REPORTS}/r", b'{"metadata":{"labels":{"a":"\\u0000"}}}', MERGE, 400),
        ("PATCH", f"{REPORTS}/r", b'{"metadata":{"labels":"x"}}', MERGE, 422),
        ("PATCH", f"{REPORTS}/r", b'{"metadata":{"finalizers":{"a":1}}}', MERGE, 422),
        ("PATCH", f"{REPORTS}/r", b'{"metadata":{"managedFields":[1]}}', MERGE, 200),
        ("PATCH", f"{REPORTS}/r", b'{"spec":{"message":"\\ud800"}}', MERGE, 400),
        ("PATCH", f"{REPORTS}/r", b'{"spec":{"instanceGeneration":123456789012345678901234567890}}', MERGE, 400),
        ("PATCH", f"{REPORTS}/r", b'{"spec":[]}', MERGE, 422),
        ("PATCH", f"{REPORTS}/r", b'{"spec":{"message":5}}', MERGE, 422),
        ("PATCH", f"{REPORTS}/r", b'{"kind":"Pod"}', MERGE, 400),
        ("PATCH", f"{REPORTS}/r", b"{}", "application/strategic-merge-patch+json", 415),
        ("PATCH", f"{REPORTS}/r", b"{}", "text/plain", 415),
        ("PATCH", f"{REPORTS}/r", b"{}", APPLY, 422),
        ("PATCH", f"{REPORTS}/r?fieldManager=x", b'{"apiVersion":1}', APPLY, 400),
        ("PUT", f"{REPORTS}/r", b"{}", "application/json", 400),
        ("DELETE", f"{REPORTS}/r", b'{"propagationPolicy":[]}', "application/json", 400),
        ("DELETE", f"{REPORTS}/r", b'{"preconditions":{"uid":"other"}}', "application/json", 409),
        ("GET", f"{REPORTS}?labelSelector=a%20in%20b", b"", "application/json", 400),
        ("GET", f"{REPORTS}?fieldSelector=spec.x=1", b"", "application/json", 400),
        ("GET", f"{REPORTS}?limit=x", b"", "application/json", 400),
        ("GET", f"{REPORTS}?continue=zzz", b"", "application/json", 400),
        ("GET", f"{REPORTS}?watch=true&resourceVersion=-1", b"", "application/json", 400),
        ("GET", f"{REPORTS}?shardSelector=5-of-2", b"", "application/json", 400),
        ("GET", f"{GROUP}/nothing", b"", "application/json", 404),
        ("GET", f"{REPORTS}/r/nothing", b"", "application/json", 404),
        ("GET", "/apis/threeport.io/v9", b"", "application/json", 404),
        ("GET", f"{REPORTS}/%00", b"", "application/json", 400),
        ("POST", f"{GROUP}/transactions", b'{"operations":[{"operation":[]}]}', "application/json", 400),
        ("POST", f"{GROUP}/transactions", b'{"operations":[{"operation":"delete","object":{"metadata":{}}}]}',
         "application/json", 400),
        ("POST", "/api/v1/namespaces", b'{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"},"spec":[1]}',
         "application/json", 422),
        ("POST", "/api/v1/namespaces", b"k8s\0nonsense", "application/vnd.kubernetes.protobuf", 400),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else None,
)  # fmt: skip
async def test_bad_input_gets_an_answer_that_says_what_is_wrong(
    krm: Krm, method: str, path: str, raw: bytes, content_type: str, status: int
) -> None:
    await created(krm, REPORTS, report("r", "default"))
    answer = await krm.call(method, path, raw=raw, content_type=content_type)
    assert answer.status == status, answer.body
    if status != 200:
        assert answer.body["kind"] == "Status"
        assert answer.body["message"]


async def test_odd_strategic_patches_are_told_and_never_an_error_of_the_server(krm: Krm) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "odd", "labels": {"x": "y"}}}
    await created(krm, "/api/v1/namespaces", namespace)
    for patch in (
        b'{"$patch":"delete"}', b'{"$patch":"replace"}', b'{"$patch":["x"]}',
        b'{"$retainKeys":["metadata"],"metadata":1}',
        b'{"metadata":{"$retainKeys":[{}]}}', b'{"metadata":{"$deleteFromPrimitiveList/finalizers":null}}',
        b'{"metadata":{"$setElementOrder/finalizers":"x"}}', b'{"metadata":{"finalizers":[{"a":1}]}}',
        b'{"metadata":{"ownerReferences":[{"uid":{"a":1}}]}}', b'{"metadata":{"ownerReferences":["x"]}}',
        b'{"metadata":{"$patch":"delete"}}', b'{"metadata":{"labels":["x"]}}',
    ):  # fmt: skip
        answer = await krm.call(
            "PATCH", "/api/v1/namespaces/odd", raw=patch, content_type="application/strategic-merge-patch+json"
        )
        assert answer.status in (400, 422), (patch, answer.body)
        assert answer.body["message"]
    assert (await krm.call("GET", "/api/v1/namespaces/odd")).body["metadata"]["labels"]["x"] == "y"


async def test_nobody_learns_nothing(krm: Krm) -> None:
    for method, path in (
        ("GET", REPORTS), ("GET", f"{REPORTS}?watch=true"), ("GET", f"{REPORTS}/r"), ("POST", REPORTS),
        ("PUT", f"{REPORTS}/r"), ("PATCH", f"{REPORTS}/r"), ("DELETE", f"{REPORTS}/r"), ("DELETE", REPORTS),
        ("PATCH", f"{REPORTS}/r/status"), ("GET", f"{REPORTS}/r?reveal=true"),
    ):  # fmt: skip
        body = {} if method in ("POST", "PUT", "PATCH") else None
        if "status" in path:
            continue
        answer = await krm.call(method, path, body, content_type=MERGE if method == "PATCH" else "application/json",
                                X_Test_Identity="nobody")  # fmt: skip
        assert answer.status == 403, (method, path, answer.body)
    operations = {"operations": [{"operation": "create", "object": report("r", "default")}]}
    assert (await krm.call("POST", f"{GROUP}/transactions", operations, X_Test_Identity="nobody")).status == 403


async def test_lists_come_in_pages_with_one_revision(krm: Krm) -> None:
    for number in range(5):
        await created(krm, REPORTS, report(f"r{number}", "default"))
    names, revisions, token = [], set(), ""
    while True:
        page = await krm.call("GET", f"{REPORTS}?limit=2&continue={token}")
        names += [item["metadata"]["name"] for item in page.body["items"]]
        revisions.add(page.revision)
        if not (token := page.body["metadata"].get("continue", "")):
            break
    assert names == [f"r{number}" for number in range(5)]
    assert len(revisions) == 1


async def test_an_object_over_the_limit_is_refused(krm: Krm) -> None:
    answer = await krm.call("POST", REPORTS, report("r", "default", message="x" * 2_000_000))
    assert answer.status == 413


async def test_unknown_fields_are_warned_of_and_dropped(krm: Krm) -> None:
    answer = await krm.call("POST", REPORTS, report("r", "default", bogus=1))
    assert answer.status == 201
    assert "bogus" not in answer.body["spec"]
    assert 'unknown field \\"spec.bogus\\"' in answer.headers["Warning"]


async def test_only_protobuf_is_not_acceptable(krm: Krm) -> None:
    answer = await krm.call("GET", REPORTS, Accept="application/vnd.kubernetes.protobuf")
    assert answer.status == 406
