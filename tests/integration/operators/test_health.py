"""Health of every kind on a real cluster: each thing that goes wrong is said in one sentence, and heals."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.integration.operators.conftest import INSTANCE, WORKLOAD, Space
from threeport.common.types import JsonObject
from threeport.controller.conditions import READY, condition, is_ready
from threeport.kube.labels import INSTANCE_LABEL
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("shared_runtime", ["real"], indirect=True), pytest.mark.cluster]

REPORT = kind_of(WorkloadReport)


def pods(name: str, **container: Any) -> JsonObject:
    """Labels and template of an object that keeps one pod."""
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "web:1", **container}]},
    }
    return {"selector": {"matchLabels": labels}, "template": template}


def obj(api_version: str, kind: str, name: str, spec: JsonObject | None = None, **content: Any) -> JsonObject:
    made = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **content}
    return made if spec is None else {**made, "spec": spec}


def job(name: str, command: str, **spec: Any) -> JsonObject:
    container = {"name": "main", "image": "job:1", "command": [command]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return obj("batch/v1", "Job", name, {"backoffLimit": 0, "template": template, **spec})


def cron(name: str, **container: Any) -> JsonObject:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "job:1", **container}]}}
    spec = {"schedule": "* * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {"template": template}}}
    return obj("batch/v1", "CronJob", name, spec)


def definition(group: str, plural: str = "lamps", singular: str = "lamp", kind: str = "Lamp") -> JsonObject:
    """A kind with a status of its own."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}]
    names = {"plural": plural, "singular": singular, "kind": kind}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": versions}
    return obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{group}", spec)


def stateful(name: str, **container: Any) -> JsonObject:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claims = [{"metadata": {"name": "data"}, "spec": claim}]
    spec = {"serviceName": name, "replicas": 1, "volumeClaimTemplates": claims, **pods(name, **container)}
    return obj("apps/v1", "StatefulSet", name, spec)


def claim(name: str, storage_class: str) -> JsonObject:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return obj("v1", "PersistentVolumeClaim", name, {**spec, "storageClassName": storage_class})


def budget(name: str, app: str) -> JsonObject:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": app}}}
    return obj("policy/v1", "PodDisruptionBudget", name, spec)


def ingress(name: str) -> JsonObject:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return obj("networking.k8s.io/v1", "Ingress", name, {"defaultBackend": backend})


def whole(group: str) -> list[JsonObject]:
    """One of each kind, to which nothing is wrong."""
    cron = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job("x", "true")["spec"]}}
    container = {"name": "main", "image": "web:1"}
    ports = {"ports": [{"port": 80}], "selector": {"app": "web"}}
    return [
        definition(group),
        obj("apps/v1", "Deployment", "web", {"replicas": 2, **pods("web")}),
        obj("apps/v1", "ReplicaSet", "set", {"replicas": 1, **pods("set")}),
        obj("apps/v1", "DaemonSet", "each", pods("each")),
        stateful("db"),
        job("once", "true"),
        obj("batch/v1", "CronJob", "often", cron),
        obj("v1", "Pod", "alone", {"containers": [container]}),
        claim("disk", "standard"),
        obj("v1", "Service", "web", {"type": "LoadBalancer", **ports}),
        budget("budget", "web"),
        obj(f"{group}/v1", "Lamp", "lamp", {}),
        ingress("door"),
    ]


def broken(group: str) -> list[JsonObject]:
    """One of each kind, with something wrong with it. What cannot be changed in place has a name of its own."""
    missing = {"image": "registry.invalid/web:1"}
    huge = {"resources": {"requests": {"cpu": "1000"}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    scaler = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 2, "metrics": [metric]}
    service = {"service": {"name": "nobody", "namespace": "default"}, "groupPriorityMinimum": 1, "versionPriority": 1}
    api = {**service, "group": f"away.{group}", "version": "v1", "insecureSkipTLSVerify": True}
    return [
        obj("apps/v1", "Deployment", "pull", {"replicas": 1, **pods("pull", **missing)}),
        obj("apps/v1", "Deployment", "crash", {"replicas": 1, **pods("crash", command=["false"])}),
        obj("apps/v1", "Deployment", "probe", {"replicas": 1, **pods("probe")}),
        obj("apps/v1", "ReplicaSet", "huge", {"replicas": 1, **pods("huge", **huge)}),
        obj("apps/v1", "DaemonSet", "each", pods("each", **missing)),
        stateful("crashing", command=["false"]),
        job("failing", "false"),
        cron("stuck", **missing),
        claim("unknown", "nobody-has-it"),
        ingress("door"),
        obj("autoscaling/v2", "HorizontalPodAutoscaler", "scaler", scaler),
        budget("budget", "crash"),
        definition(group),
        definition(group, "lanterns", "lantern", "Lantern"),
        obj("apiregistration.k8s.io/v1", "APIService", f"v1.away.{group}", api),
        obj(f"{group}/v1", "Lamp", "lamp", {}),
    ]


SAID = {
    "Deployment/pull": ("Down", "ImagePullBackOff: Back-off pulling image"),
    "Deployment/crash": ("Down", "CrashLoopBackOff: exit code 1"),
    "Deployment/probe": ("Degraded", "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503"),
    "ReplicaSet/huge": ("Degraded", "Unschedulable: 0/"),
    "DaemonSet/each": ("Down", "ImagePullBackOff"),
    "StatefulSet/crashing": ("Down", "CrashLoopBackOff"),
    "Job/failing": ("Down", "BackoffLimitExceeded"),
    "CronJob/stuck": ("Degraded", "ImagePullBackOff: Back-off pulling image"),
    "PersistentVolumeClaim/unknown": ("Progressing", 'storageclass.storage.k8s.io "nobody-has-it" not found'),
    "Ingress/door": ("Progressing", "no ingress controller"),
    "HorizontalPodAutoscaler/scaler": ("Degraded", "FailedGetScale"),
    "PodDisruptionBudget/budget": ("Progressing", "0 of 1 pods"),
    "CustomResourceDefinition/lanterns": ("Down", "SingularConflict"),
    "APIService/v1": ("Down", "ServiceNotFound"),
    "Lamp/lamp": ("Degraded", "NoBulb: no bulb of that size"),
}
"""What the agent says of the broken ones, by kind and the first part of the name."""


async def said(space: Space) -> dict[str, tuple[str, str]]:
    """What the newest report says of each object."""
    reports = (await space.client.list(REPORT, space.namespace)).items
    found = [one for report in reports for one in report["spec"].get("resources") or ()]
    return {
        f"{one['kind']}/{one['name'].partition('.')[0]}": (one["health"], one.get("message") or "") for one in found
    }


async def is_not_ready(space: Space, uid: str, namespace: str) -> None:
    """Makes a probe of the pod of ``probe`` fail, as its kubelet would tell it."""
    found = await space.cluster.list("v1", "Pod", label_selector=f"{INSTANCE_LABEL}={uid},app=probe")
    pod, about = found[0], {"apiVersion": "v1", "kind": "Pod", "namespace": namespace}
    later = "2036-01-01T00:00:00Z"
    ready = {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "lastTransitionTime": later}
    states = [{**one, "ready": False} for one in pod["status"]["containerStatuses"]]
    await space.patch_as_somebody_else(pod, {"status": {"conditions": [ready], "containerStatuses": states}}, "status")
    metadata = pod["metadata"]
    event = {
        "metadata": {"name": f"{metadata['name']}.probe", "namespace": namespace},
        "involvedObject": {**about, "name": metadata["name"], "uid": metadata["uid"]},
        "type": "Warning",
        "reason": "Unhealthy",
        "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "lastTimestamp": later,
        "count": 1,
    }
    await space.cluster.create({"apiVersion": "v1", "kind": "Event", **event})


async def test_everything_that_goes_wrong_is_said_and_all_is_ready_when_it_is_mended(space: Space) -> None:
    group = f"{space.namespace}.example.com"
    taken = await space.cluster.create(definition(group, "lampions", "lantern", "Lampion"))
    await space.deploy("shop", [yaml.safe_dump_all(broken(group))])

    async def is_applied() -> JsonObject | None:
        instance = await space.get(INSTANCE, "shop")
        return instance if instance and (instance.get("status") or {}).get("appliedHash") else None

    instance = await space.until(is_applied)
    uid, namespace = instance["metadata"]["uid"], instance["status"]["namespace"]

    async def probe_runs() -> bool:
        found = await space.cluster.list("v1", "Pod", label_selector=f"{INSTANCE_LABEL}={uid},app=probe")
        return bool(found and (found[0].get("status") or {}).get("phase") == "Running")

    await space.until(probe_runs)
    await is_not_ready(space, uid, namespace)
    stalled = {"type": "Stalled", "status": "True", "reason": "NoBulb", "message": "no bulb of that size"}
    lamp = obj(f"{group}/v1", "Lamp", "lamp")
    lamp["metadata"]["namespace"] = namespace
    await space.patch_as_somebody_else(lamp, {"status": {"conditions": [stalled]}}, "status")
    seen: dict[str, tuple[str, str]] = {}

    async def all_is_said() -> bool:
        seen.update(await said(space))
        return all(name in seen and seen[name][0] == health and text in seen[name][1]
                   for name, (health, text) in SAID.items())  # fmt: skip

    await space.until(all_is_said, seconds=120, why=lambda: differences(seen))
    await rolled_up_as_down(space)
    await space.patch_as_somebody_else(lamp, {"status": {"conditions": [{**stalled, "status": "False"}]}}, "status")
    change = {"spec": {"manifests": [yaml.safe_dump_all(whole(group))]}}
    await space.client.patch(WORKLOAD, "shop", space.namespace, change)
    await gets_an_address(space, namespace)
    workload = await space.ready(WORKLOAD, "shop", seconds=90)
    instance = await space.ready(INSTANCE, "shop")
    count = len(whole(group)) + 1  # with its namespace
    for one in (workload, instance):
        assert one["status"]["health"] == "Healthy"
        assert one["status"]["readyResources"] == f"{count}/{count}"
        assert one["status"]["observedGeneration"] == one["metadata"]["generation"]
    assert {health for health, _ in (await said(space)).values()} == {"Healthy"}
    metadata = taken["metadata"]
    await space.cluster.delete(taken["apiVersion"], taken["kind"], metadata["name"], None, uid=metadata["uid"])


async def differences(seen: dict[str, tuple[str, str]]) -> object:
    return {name: (seen.get(name), wanted) for name, wanted in SAID.items()
            if not (name in seen and seen[name][0] == wanted[0] and wanted[1] in seen[name][1])}  # fmt: skip


async def rolled_up_as_down(space: Space) -> None:
    """Instance and workload say the worst of it, name one, count the others, and are not Ready."""

    async def is_rolled_up() -> bool:
        found = [await space.get(kind, "shop") for kind in (INSTANCE, WORKLOAD)]
        return all(((one or {}).get("status") or {}).get("health") == "Down" for one in found)

    await space.until(is_rolled_up)
    for kind in (INSTANCE, WORKLOAD):
        found = await space.get(kind, "shop")
        assert found is not None
        assert not is_ready(found)
        ready = condition(found["status"], READY)
        assert ready is not None
        assert (ready["status"], ready["reason"]) == ("False", "Down")
        assert "more not healthy" in ready["message"]


async def gets_an_address(space: Space, namespace: str) -> None:
    """Does for the Ingress what its controller would."""
    door = ingress("door")
    door["metadata"]["namespace"] = namespace
    status = {"status": {"loadBalancer": {"ingress": [{"hostname": "door.invalid"}]}}}
    await space.patch_as_somebody_else(door, status, "status")
