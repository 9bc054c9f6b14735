"""A cluster of any tier does what the other tests rely on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.provision import Cluster

DEADLINE = "--timeout=120s"
POD = {"containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}]}


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, deleted after it."""
    name = f"{request.node.name.replace('_', '-')[:50]}-{os.getpid()}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_a_deployment_becomes_available(cluster: Cluster, namespace: str) -> None:
    apply(cluster, namespace, "Deployment", deployment(POD, replicas=3))
    wait(cluster, namespace, "deployment/sample", condition="condition=Available")


def test_a_job_completes(cluster: Cluster, namespace: str) -> None:
    apply(cluster, namespace, "Job", job("true"))
    wait(cluster, namespace, "job/sample", condition="condition=Complete")


def test_a_job_whose_command_fails_is_failed(cluster: Cluster, namespace: str) -> None:
    apply(cluster, namespace, "Job", job("false"))
    wait(cluster, namespace, "job/sample", condition="condition=Failed")


def test_a_claim_of_the_default_class_is_bound(cluster: Cluster, namespace: str) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}
    apply(cluster, namespace, "PersistentVolumeClaim", claim)
    # Some classes bind only when a pod wants the volume.
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "sample"}}
    apply(cluster, namespace, "Deployment", deployment({**POD, "volumes": [volume]}))
    wait(cluster, namespace, "persistentvolumeclaim/sample", condition="jsonpath={.status.phase}=Bound")
    wait(cluster, namespace, "deployment/sample", condition="condition=Available")


def test_an_image_that_cannot_exist_is_not_pulled(cluster: Cluster, namespace: str) -> None:
    apply(
        cluster, namespace, "Deployment", deployment({"containers": [{"name": "main", "image": "none.invalid/none"}]})
    )
    wait(cluster, namespace, "deployment/sample", condition="jsonpath={.status.replicas}=1")
    reason = "{.status.containerStatuses[0].state.waiting.reason}"
    wait(cluster, namespace, "pods", "--selector=app=sample", condition=f"jsonpath={reason}=ImagePullBackOff")


def test_an_unknown_field_is_refused(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(ClusterError, match=r'unknown field "spec.replica"'):
        apply(cluster, namespace, "Deployment", {**deployment(POD), "replica": 1})


def test_two_clusters_are_two_worlds(clusters: Callable[[int], list[Cluster]], namespace: str) -> None:
    first, second = clusters(2)
    assert namespace in first.kubectl("get", "namespaces", "--output=name")
    assert namespace not in second.kubectl("get", "namespaces", "--output=name")


def deployment(pod: dict[str, Any], *, replicas: int = 1) -> dict[str, Any]:
    labels = {"app": "sample"}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}


def job(command: str) -> dict[str, Any]:
    container = {"name": "main", "image": "busybox:1.36", "command": [command]}
    return {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}


def apply(cluster: Cluster, namespace: str, kind: str, spec: dict[str, Any]) -> None:
    version = {"Deployment": "apps/v1", "Job": "batch/v1"}.get(kind, "v1")
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "sample"}, "spec": spec}
    cluster.kubectl("apply", "--namespace", namespace, "--filename=-", manifest=json.dumps(manifest))


def wait(cluster: Cluster, namespace: str, *what: str, condition: str) -> None:
    cluster.kubectl("wait", "--namespace", namespace, *what, f"--for={condition}", DEADLINE)
