"""What a real cluster says of manifests that are wrong is told without the values in them."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from tests.cluster.provision import Cluster as RealCluster
from threeport.bootstrap.kubeconfig import cluster_access
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.errors import Rejected

SECRETS: list[dict[str, Any]] = [
    {"data": "canary"},
    {"data": "first): line\n  .data: canary"},
    {"data": ["canary"]},
    {"data": {"a": "canary, which is no base64"}},
    {"data": {"a": {"b": "canary"}}},
    {"data": {"a": 98765}},
    {"data": {"a": ["canary"], "b": {"c": "canary"}}},
    {"stringData": "canary"},
    {"stringData": {"a": 98765}},
    {"stringData": {"a": ["canary"]}},
    {"stringData": {".dockerconfigjson": "canary"}, "type": "kubernetes.io/dockerconfigjson"},
]
CONTAINERS: list[dict[str, Any]] = [
    {"env": "canary"},
    {"env": ["canary"]},
    {"env": {"A": "canary"}},
    {"env": [{"name": "A", "value": 98765}]},
    {"env": [{"name": "A", "value": {"b": "canary"}}]},
    {"env": [{"name": "A", "value": "canary"}, {"name": "A", "value": "canary"}]},
    {"env": [{"name": "A", "value": "canary", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}]},
    {"args": "--password=canary"},
    {"args": [98765]},
]


def handle_of(cluster: RealCluster) -> Cluster:
    access = cluster_access(cluster.kubeconfig)
    return Cluster(
        ClusterAccess(
            endpoint=access.endpoint,
            certificate_authority=access.certificate_authority,
            token=access.token,
            client_certificate=access.client_certificate,
            client_key=access.client_key,
            tls_server_name=access.tls_server_name,
        )
    )


def secret(content: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "wrong", "namespace": "default"}, **content}


def deployment(content: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "wrong", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {
                "metadata": {"labels": {"app": "x"}},
                "spec": {"containers": [{"name": "c", "image": "i", **content}]},
            },
        },
    }


@pytest.mark.parametrize("manifest", [*map(secret, SECRETS), *map(deployment, CONTAINERS)], ids=str)
async def test_no_value_of_a_wrong_manifest_is_told_and_it_is_not_tried_again(
    cluster: RealCluster, manifest: dict[str, Any]
) -> None:
    handle = handle_of(cluster)
    try:
        with pytest.raises(Rejected, match=f"{manifest['kind']} default/wrong is not accepted: .") as refused:
            await handle.apply(manifest, dry_run=True)
    finally:
        await handle.close()
    told = "".join(traceback.format_exception(refused.value)) + str(refused.value)
    assert "canary" not in told.replace(repr(manifest), "")
    assert "98765" not in told


async def test_a_pod_template_that_cannot_change_is_named_and_not_shown(cluster: RealCluster) -> None:
    job = deployment({"env": [{"name": "A", "value": "}: canary: ["}]})
    job |= {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "steady", "namespace": "default"}}
    del job["spec"]["selector"]
    job["spec"] |= {"suspend": True}
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    handle = handle_of(cluster)
    try:
        made = await handle.apply(job)
        job["spec"]["template"]["spec"]["containers"][0]["command"] = ["other"]
        with pytest.raises(Rejected, match="spec.template.*: Invalid value: field is immutable") as refused:
            await handle.apply(job)
        await handle.delete("batch/v1", "Job", "steady", "default", uid=made["metadata"]["uid"])
    finally:
        await handle.close()
    assert "canary" not in "".join(traceback.format_exception(refused.value))
