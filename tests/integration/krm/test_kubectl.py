"""Unmodified kubectl works against the server, as it does against any Kubernetes."""

from __future__ import annotations

import json

import yaml

from tests.integration.krm.conftest import Krm, collection, report, workload


async def test_kubectl_lists_what_there_is(krm: Krm) -> None:
    resources = await krm.kubectl("api-resources")
    assert "workloads" in resources
    assert "kri,runtime,runtimes" in resources
    assert "namespaces" in resources


async def test_kubectl_applies_shows_changes_and_deletes(krm: Krm) -> None:
    document = yaml.safe_dump(report("r1", "default", message="hello"))
    assert "created" in await krm.kubectl("apply", "-f", "-", stdin=document)
    assert "unchanged" in await krm.kubectl("apply", "-f", "-", stdin=document)
    changed = document.replace("hello", "changed")
    assert "changed" in await krm.kubectl("diff", "-f", "-", stdin=changed, check=False)
    assert "configured" in await krm.kubectl("apply", "-f", "-", stdin=changed)
    table = await krm.kubectl("get", "workloadreports")
    assert table.split()[:6] == ["NAME", "INSTANCE", "RUNTIME", "HEALTH", "MESSAGE", "AGE"]
    assert "changed" in table
    assert (await krm.kubectl("get", "wr", "r1", "-o", "jsonpath={.spec.message}")) == "changed"
    assert "Message:" in await krm.kubectl("describe", "wr", "r1")
    assert "deleted" in await krm.kubectl("delete", "wr", "r1")
    assert "No resources found" in await krm.kubectl("get", "wr", check=False)


async def test_kubectl_applies_namespaces_with_strategic_merge(krm: Krm) -> None:
    document = yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    await krm.kubectl("apply", "-f", "-", stdin=document)
    assert "configured" in await krm.kubectl(
        "apply", "-f", "-", stdin=document.replace("name:", "labels: {a: b}\n  name:")
    )
    assert "Active" in await krm.kubectl("get", "namespaces", "team-a")
    assert "a=b" in await krm.kubectl("get", "ns", "--show-labels")


async def test_kubectl_labels_annotates_patches_edits_and_replaces(krm: Krm) -> None:
    await krm.kubectl("create", "-f", "-", stdin=yaml.safe_dump(report("r1", "default")))
    await krm.kubectl("label", "wr", "r1", "tier=gold")
    await krm.kubectl("annotate", "wr", "r1", "example.com/note=hi")
    await krm.kubectl("patch", "wr", "r1", "--type=merge", "-p", '{"spec":{"message":"m"}}')
    await krm.kubectl("patch", "wr", "r1", "--type=json", "-p", '[{"op":"replace","path":"/spec/message","value":"j"}]')
    assert "r1" in await krm.kubectl("get", "wr", "-l", "tier in (gold,silver)", "-o", "name")
    assert await krm.kubectl("get", "wr", "-l", "tier!=gold", "-o", "name") == ""
    assert "r1" in await krm.kubectl("get", "wr", "--field-selector", "metadata.name=r1", "-o", "name")
    live = json.loads(await krm.kubectl("get", "wr", "r1", "-o", "json"))
    live["spec"]["message"] = "replaced"
    assert "replaced" in await krm.kubectl("replace", "-f", "-", stdin=json.dumps(live))
    live = json.loads(await krm.kubectl("get", "wr", "r1", "-o", "json"))
    assert live["metadata"]["labels"] == {"tier": "gold"}
    assert live["spec"]["message"] == "replaced"


async def test_kubectl_waits_for_conditions_and_deletion(krm: Krm) -> None:
    await krm.kubectl("create", "-f", "-", stdin=yaml.safe_dump(workload("w", "default")))
    condition = {"type": "Ready", "status": "True", "reason": "Done"}
    status = json.dumps({"status": {"conditions": [condition]}})
    await krm.kubectl("patch", "workload", "w", "--subresource=status", "--type=merge", "-p", status)
    await krm.kubectl("wait", "workload/w", "--for=condition=Ready", "--timeout=10s")
    await krm.kubectl("delete", "workload", "w", "--wait=false")
    assert "w" in await krm.kubectl("get", "workloads", "-o", "name")
    await krm.kubectl("patch", "workload", "w", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    await krm.kubectl("wait", "workload/w", "--for=delete", "--timeout=10s")


async def test_kubectl_explains_kinds_from_their_models(krm: Krm) -> None:
    explained = await krm.kubectl("explain", "workload.spec.manifests")
    assert "Kubernetes manifests" in explained
    assert "labels" in await krm.kubectl("explain", "workload.metadata")


async def test_kubectl_refuses_unknown_fields_and_dry_runs_change_nothing(krm: Krm) -> None:
    bad = yaml.safe_dump(report("r1", "default", bogus=1))
    assert 'unknown field "spec.bogus"' in await krm.kubectl("apply", "-f", "-", stdin=bad, check=False)
    good = yaml.safe_dump(report("r1", "default"))
    assert "dry run" in await krm.kubectl("apply", "--dry-run=server", "-f", "-", stdin=good)
    assert (await krm.call("GET", f"{collection('default', 'workloadreports')}/r1")).status == 404


async def test_kubectl_applies_on_the_server_side_and_sees_conflicts(krm: Krm) -> None:
    document = yaml.safe_dump(report("r1", "default", message="a"))
    assert "serverside-applied" in await krm.kubectl("apply", "--server-side", "-f", "-", stdin=document)
    other = document.replace("message: a", "message: b")
    refused = await krm.kubectl("apply", "--server-side", "--field-manager=x", "-f", "-", stdin=other, check=False)
    assert 'conflict with "kubectl"' in refused
    assert ".spec.message" in refused
    await krm.kubectl("apply", "--server-side", "--field-manager=x", "--force-conflicts", "-f", "-", stdin=other)
    assert (await krm.kubectl("get", "wr", "r1", "-o", "jsonpath={.spec.message}")) == "b"


async def test_kubectl_applies_on_the_server_side_what_it_applied_on_the_client_side(krm: Krm) -> None:
    document = yaml.safe_dump(report("r1", "default", message="a"))
    await krm.kubectl("apply", "-f", "-", stdin=document)
    changed = document.replace("message: a", "message: b")
    applied = await krm.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=changed)
    assert "serverside-applied" in applied


async def test_kubectl_deletes_a_namespace_with_what_is_in_it(krm: Krm) -> None:
    await krm.kubectl("create", "namespace", "team-b")
    await krm.kubectl("create", "-f", "-", stdin=yaml.safe_dump(report("r1", "team-b")))
    await krm.kubectl("delete", "namespace", "team-b", "--timeout=30s")
    assert (await krm.call("GET", "/api/v1/namespaces/team-b")).status == 404
    assert (await krm.call("GET", collection("team-b", "workloadreports"))).body["items"] == []


async def test_kubectl_reports_version_and_all_of_a_category(krm: Krm) -> None:
    await krm.kubectl("create", "-f", "-", stdin=yaml.safe_dump(report("r1", "default")))
    assert "+threeport" in await krm.kubectl("version")
    assert "workloadreport.threeport.io/r1" in await krm.kubectl("get", "threeport", "-A")
